"""The model card of an adapter: what it is, how it was trained, and a program that runs it."""

import json
from importlib.metadata import version
from typing import Any

import yaml

from jobs.families.protocol import Family, Plan
from jobs.runs.spec import TrainSpec
from orchestrator.domain import formatting
from orchestrator.domain.metric_definitions import INTERVAL, Metric, figure
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import RunSummary, unjudged_sentence, views_sentence
from orchestrator.domain.tasks import TASKS, AnswerKind

_MATRIX_CLASSES, _TABLE_CLASSES = 20, 100
"""Classes whose confusion matrix, and classes whose table the card shows; the page shows more."""
_PACKAGES = ("torch", "torchvision", "transformers", "peft", "bitsandbytes", "accelerate")


def adapter_card(spec: TrainSpec, plan: Plan, family: Family, summary: RunSummary, bundled: bool) -> str:
    """The README.md of an adapter."""
    recipe = plan.recipe
    head = {
        "base_model": spec.public_base,
        "library_name": "peft",
        "pipeline_tag": family.pipeline_tag,
        "datasets": [spec.dataset_name],
        "metrics": _named(plan, summary),
        "tags": ["lora", "qlora" if recipe.qlora.bits == 4 else "full-precision-base", family.name],
    }
    task = TASKS[plan.task]
    sentence = task.multi_label_sentence if plan.is_multi_label else task.adapter_sentence
    does = sentence.format(count=len(spec.class_names), names=", ".join(spec.class_names[:20]))
    if plan.question:
        does = f'answers questions about a clip, such as "{plan.question.splitlines()[0]}"'
    return "\n".join(
        [
            f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
            f"# {recipe.output_name}\n",
            f"A LoRA adapter for {family.title} that {does}.\n",
            f"## Reached\n\n{_reached(plan, summary)}".rstrip() + "\n",
            *_metrics(plan, summary),
            *_matrix(summary),
            *_classes(summary),
            *_samples(summary),
            f"## How it was made\n\n{_table(_facts(spec, recipe, summary))}\n",
            f"## How to use it\n\n{_usage(spec, plan, family, bundled)}",
        ]
    )


def _reached(plan: Plan, summary: RunSummary) -> str:
    first = TASKS[plan.task].headline(plan.problem_type)
    value = summary.value(first.name)
    if value is not None and summary.eval_loss is not None:
        result = f"**{figure(first, value)}**"
        relation = "of" if first.of_clips else f"{first.label} on"
        clips = f"{summary.validation_clips} held-out clips{_interval(first, summary)}"
        sentences = [f"{result} {relation} {clips}, loss {summary.eval_loss:.4f}.", views_sentence(summary.views)]
        return " ".join(filter(None, [*sentences, summary.exported.sentence]))
    if summary.validation_clips:
        stopped = f"The run was stopped at step {summary.final_step}; the result was not judged on held-out clips."
        return f"{stopped} {summary.exported.sentence}"
    return f"No clips were held out, so nothing can be said about new ones. {summary.exported.sentence}"


def _interval(metric: Metric, summary: RunSummary) -> str:
    """The 95 % interval of a metric behind its value, where it is known."""
    if metric.name not in summary.intervals:
        return ""
    low, high = summary.intervals[metric.name]
    return f" ({INTERVAL} {figure(metric, low)} to {figure(metric, high)})"


def _metrics(plan: Plan, summary: RunSummary, made: str = "adapter") -> list[str]:
    """Every metric next to that of the untouched base (or of chance) on the same clips."""
    values, before = summary.values, summary.baseline
    rows = [
        f"| {m.label} | {figure(m, before[m.name]) if m.name in before else ''} | {figure(m, values[m.name])} |"
        for m in TASKS[plan.task].judged_by(plan.problem_type)
        if m.name in values
    ]
    if not rows:
        return []
    base = summary.baseline_name
    if summary.baseline_clips:
        base += f", {summary.baseline_clips} clips"
    table = "\n".join([f"| on the held-out clips | {base} | this {made} |", "|---|---|---|", *rows]) + "\n"
    return [table, *_by_class(summary)]


def _by_class(summary: RunSummary) -> list[str]:
    """Precision, recall and F1 of each class."""
    if not summary.by_class or len(summary.by_class) > _MATRIX_CLASSES:
        return []
    lines = [
        f"| {_cell(row.name)} | {formatting.percent(row.precision or 0.0)} | {formatting.percent(row.recall or 0.0)} "
        f"| {formatting.percent(row.f1 or 0.0)} | {row.clips} |"
        for row in summary.by_class
    ]
    return ["\n".join(["| class | precision | recall | F1 | clips |", "|---|---|---|---|---|", *lines]) + "\n"]


def _samples(summary: RunSummary) -> list[str]:
    rows = [row.to_json() for row in summary.samples if row.reference]
    if not rows:
        return []
    keys = [key for key in ("question", "reference", "before", "predicted", "rank") if any(key in row for row in rows)]
    head = [f"| clip | {' | '.join(keys)} |", "|---" * (len(keys) + 1) + "|"]
    lines = [f"| {_cell(row['name'])} | {' | '.join(_cell(row.get(key, '')) for key in keys)} |" for row in rows[:8]]
    return ["\n".join([*head, *lines]) + "\n"]


def _cell(text: Any) -> str:
    """A text in a cell of a Markdown table: with its bars escaped, and on one line."""
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " / ")


def _named(plan: Plan, summary: RunSummary) -> list[str]:
    metrics = TASKS[plan.task].judged_by(plan.problem_type)
    return [metric.name.removeprefix("eval_") for metric in metrics if metric.name in summary.values]


def pretrained_card(spec: TrainSpec, plan: Plan, family: Family, summary: RunSummary) -> str:
    """The README.md of a model whose pretraining was continued."""
    recipe = plan.recipe
    head = {
        "base_model": spec.model_name,
        "library_name": "transformers",
        "datasets": [spec.dataset_name],
        "metrics": [*_named(plan, summary), *(["loss"] if summary.eval_loss is not None else [])],
    }
    loss = f"Validation loss {summary.eval_loss:.4f}." if summary.eval_loss is not None else ""
    return (
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n# {recipe.output_name}\n\n"
        f"{family.title}, trained on from {spec.model_name}, all weights. {loss} {summary.exported.sentence}".rstrip()
        + "\n\n"
        f"{''.join(part + chr(10) for part in (*_metrics(plan, summary, 'model'), *_samples(summary)))}"
        f"## How it was made\n\n{_table(_facts(spec, recipe, summary))}\n\n"
        "Register this folder as a model to fine-tune it.\n"
    )


def _facts(spec: TrainSpec, recipe: Recipe, summary: RunSummary) -> list[tuple[str, Any]]:
    lora, optim = recipe.qlora, recipe.optim
    facts: list[tuple[str, Any]] = [
        ("Base", f"{spec.model_name} (weights sha256 {spec.model_revision[:16] or 'not recorded'})"),
        ("Dataset", f"{_dataset(spec)}: {summary.train_clips} clips learned, {summary.validation_clips} held"),
        ("Steps", f"{summary.final_step} ({optim.epochs} epochs asked)"),
        ("Batch", f"{optim.batch_size} x {optim.gradient_accumulation}"),
        ("Learning rate", f"{optim.learning_rate:g}, {optim.scheduler.value}, warm-up {optim.warmup_ratio:g}"),
        ("Seed", optim.seed),
        ("Trainable parameters", f"{summary.trainable_parameters:,}"),
        ("Time", f"{summary.train_seconds} s on {summary.device}"),
        ("Versions", ", ".join(f"{name} {version(name)}" for name in _PACKAGES)),
    ]
    if spec.adapter_name:
        facts.insert(1, ("Continued from", spec.adapter_name))
    if lora.enabled:
        kind = "NF4, double quantization" if lora.bits == 4 else "not quantized"
        facts.insert(2, ("LoRA", f"r {lora.r}, alpha {lora.alpha}, dropout {lora.dropout:g}; base {kind}"))
    return facts


def _dataset(spec: TrainSpec) -> str:
    return f"{spec.dataset_name}, version {spec.dataset_version}" if spec.dataset_version else spec.dataset_name


def _table(rows: list[tuple[str, Any]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in rows)])


def _matrix(summary: RunSummary) -> list[str]:
    names, matrix = summary.class_names, summary.confusion_matrix
    if summary.classes:
        return []
    if len(names) > _MATRIX_CLASSES:
        return [f"The confusion matrix of {len(names)} classes is too large for this card.\n"]
    if not matrix:
        return []
    cells = [_cell(name) for name in names]
    head = [f"| true \\ predicted | {' | '.join(cells)} |", "|---" * (len(cells) + 1) + "|"]
    rows = [f"| {name} | {' | '.join(map(str, row))} |" for name, row in zip(cells, matrix, strict=True)]
    return ["\n".join([*head, *rows]) + "\n"]


def _classes(summary: RunSummary) -> list[str]:
    """A row for each class of a run with several labels, and the names of those that could not be judged."""
    judged = [row for row in summary.classes if row.average_precision is not None]
    if not judged:
        return []
    lines = [
        f"| {_cell(row.name)} | {row.clips} | {_share(row.average_precision)} | {_share(row.precision)} "
        f"| {_share(row.recall)} | {_share(row.f1)} |"
        for row in judged[:_TABLE_CLASSES]
    ]
    head = "| class | held-out clips | average precision | precision | recall | F1 |\n|---|---|---|---|---|---|"
    notes = [f"Precision, recall and F1 at a score of 0.5. {unjudged_sentence(summary)}".strip()]
    notes += [f"{len(judged) - _TABLE_CLASSES} more classes are not shown."] if len(judged) > _TABLE_CLASSES else []
    return ["\n".join([head, *lines]) + "\n", " ".join(notes) + "\n"]


def _share(value: float | None) -> str:
    return "" if value is None else formatting.percent(value, 1)


def _usage(spec: TrainSpec, plan: Plan, family: Family, bundled: bool) -> str:
    name, program = family.program(plan, 'here / "base"' if bundled else json.dumps(spec.public_base))
    where = "Put the folder of the base model in its place."
    if bundled or spec.model_ref:
        where = "The base lies in `base/` next to this file." if bundled else "The base comes from the Hub."
    how = "The base is loaded in 4 bits, as it was trained. " if plan.four_bit else ""
    words = ' "what to look for"' if TASKS[plan.task].answer is AnswerKind.CLIPS else ""
    packages = (*_PACKAGES, *getattr(family, "packages", ()), "av", "pillow")
    return (
        f"`pip install {' '.join(f'{p}=={version(p)}' for p in packages)}`, save this as "
        f"`{name}` in this folder and run `python {name}{words} CLIP.mp4`. {how}{where}\n\n"
        f"```python\n{program}```\n{_serving(plan, family, spec)}"
    )


def _serving(plan: Plan, family: Family, spec: TrainSpec) -> str:
    """How a server for many users loads it, where the family knows; Markdown."""
    notes = getattr(family, "serving_notes", None)
    text = notes(plan, spec.public_base) if notes else ""
    return f"\n{text}" if text else ""
