"""The rows of the wizard: choices, presets, and the plan on the right with its figures as text."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.machines import ANY_MACHINE, Shape, parse_shape
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS, task_spec
from orchestrator.services.training.capacity import missing_hardware
from orchestrator.services.training.recipe_limits import MEMORY_SHARE
from orchestrator.services.training.rows import Preflight, ShapeGroup
from orchestrator.services.workers import WorkerRow
from orchestrator.states.jobs import new_sweep as sweep
from orchestrator.states.jobs.review import ReviewRow, recipe_lines


@dataclass(frozen=True, slots=True)
class DatasetChoice:
    """A dataset in step 1; `reason` says why it cannot be chosen."""

    id: int
    name: str
    task: str
    note: str
    reason: str
    thumbnail: str
    is_demo: bool
    version: int = 1
    """Its newest version."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A base model in step 2."""

    id: int
    name: str
    architecture: str
    task: str
    note: str
    description: str
    parameters: int
    unavailable: str
    """Why it cannot be trained now, or ""."""
    reason: str = ""
    """Why it cannot be chosen here: it is unavailable, or for another task than the dataset's."""
    family: str = ""


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """One kind of linear layer that may get an adapter."""

    suffix: str
    sides: int
    """Inputs and outputs of its layers together: what an adapter of rank 1 adds."""
    note: str
    default: bool


@dataclass(frozen=True, slots=True)
class PresetCard:
    """A preset with its estimated time and memory, as `radio_cards` takes it."""

    value: str
    label: str
    figure: str
    note: str


@dataclass(frozen=True, slots=True)
class ReviewBlock:
    """Lines of the review with one Edit link, which leads to `step`."""

    title: str
    step: int
    lines: list[ReviewRow]


@dataclass(frozen=True, slots=True)
class PlanFact:
    """One line of what a rehearsal measured."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """The clips with frames of one size, as text; "8–32" from the shortest to the longest of them."""

    size: str
    clips: str
    frames: str
    seen: str
    """Pixels of a frame as the model sees it."""
    tokens: str


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """A reason against the launch; `field` is the one to change, "" where no field of the form would help."""

    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The summary on the right; empty strings until they are known."""

    known: bool = False
    memory: str = ""
    memory_total: str = ""
    memory_share: float = 0.0
    fits: bool = True
    device: str = ""
    steps: str = ""
    time: str = ""
    seconds: float = 0.0
    """The same as a number; 0 while it is unknown."""
    trainable: str = ""
    trainable_share: str = ""
    adapter: str = ""
    clips: str = ""
    warnings: list[PlanWarning] = field(default_factory=list)
    advice: str = ""
    vision_frozen: bool = False
    has_vision_tower: bool = False
    has_liger: bool = False
    has_classes: bool = False
    compares_clips: bool = False
    """The loss compares the clips of a batch."""
    measured: bool = False
    """Memory and time come from a rehearsal of the same recipe."""
    measurements: list[PlanFact] = field(default_factory=list)
    """What that rehearsal measured."""
    remarks: list[str] = field(default_factory=list)
    """Its remarks about captions and clips that the base would not use as they are."""
    shapes: list[ShapeRow] = field(default_factory=list)
    """The clips of the dataset by size, the most frequent first."""
    other_shapes: str = ""
    """How many clips have none of these sizes."""
    counts_tokens: bool = False
    """The base has a language model, whose context clips take tokens of."""
    cut_clips: str = ""
    """How many clips do not fit the context."""


@dataclass(frozen=True, slots=True)
class Cloned:
    """What a cloned job learned from."""

    name: str = ""
    dataset_id: int = 0
    version: int = 0


SHAPES = 6
"""Sizes of clips that the wizard lists."""
MAX_VERSIONS = 50
"""Versions that the wizard lists."""


def version_choices(dataset: DatasetChoice | None, cloned: Cloned) -> list[dict[str, str]]:
    """The versions of a dataset to learn from, the newest (as "0") first; [] where there is only one."""
    if dataset is None or dataset.version < 2:
        return []
    own = cloned.version if cloned.dataset_id == dataset.id else 0
    listed = [*range(dataset.version - 1, 0, -1)][:MAX_VERSIONS]
    listed += [own] if 0 < own < dataset.version and own not in listed else []
    newest = {"value": "0", "label": f"{_version_label(dataset.version, own, cloned)}, the newest"}
    return [newest, *({"value": str(one), "label": _version_label(one, own, cloned)} for one in listed)]


def _version_label(version: int, own: int, cloned: Cloned) -> str:
    return f"Version {version}" + (f", which {cloned.name} learned from" if version == own else "")


def dataset_choice(row: Any, clip_ids: Sequence[int] = ()) -> DatasetChoice:
    """From a DatasetRow; the first of `clip_ids` gives the picture."""
    reason = ""
    if row.status in ("processing", "draft"):
        reason = "It is still being processed. It can be chosen as soon as it is ready."
        if row.status == "draft":
            reason = "It has no clips yet. Add files to it first."
    elif row.status == "error":
        reason = row.error or "It could not be processed. Open it to see why."
    elif row.clip_count == 0:
        reason = "It has no usable clips."
    classes = f", {formatting.plural(len(row.class_names), 'class', 'classes')}" if row.class_names else ""
    note = f"{formatting.plural(row.clip_count, 'clip')}{classes}, {formatting.size(row.size_bytes)}"
    picture = f"/api/v1/clips/{clip_ids[0]}/thumbnail" if clip_ids else ""
    return DatasetChoice(row.id, row.name, str(row.task), note, reason, picture, bool(row.is_demo), row.version)


def model_choice(row: Any) -> ModelChoice:
    """From a ModelRow."""
    unavailable = "" if row.status in ("ready", "in_use") else row.error or "It is still being processed."
    task = TASK_OF_MODEL[row.model_type].key.value
    note = f"{formatting.short_count(row.parameters)} parameters, {formatting.size(row.size_bytes)}"
    described = (row.architecture, task, note, row.description, row.parameters)
    return ModelChoice(row.id, row.name, *described, unavailable, reason=unavailable, family=row.family)


def fit_models(models: Iterable[ModelChoice], task: str) -> list[ModelChoice]:
    """The models, each with the reason why it does not fit a dataset of that task; those that fit come first.

    Args:
        task: of the chosen dataset; "" while none is chosen.
    """
    checked = [
        replace(
            model,
            reason=model.unavailable
            or (f"It does {model.task}; the chosen dataset is for {task}." if not _fits(model.task, task) else ""),
        )
        for model in models
    ]
    return sorted(checked, key=lambda model: bool(model.reason))


def _fits(model_task: str, task: str) -> bool:
    """Also True while no dataset is chosen."""
    return not task or TASKS[model_task].model_type in TASKS[task].fits


def layer_choices(groups: Iterable[Any]) -> list[LayerChoice]:
    """From the model's layer groups (suffix, count, sides, default); groups of one name become one choice.

    Heads are left out: they get no adapter.
    """
    by_name: dict[str, list[Any]] = {}
    for group in (group for group in groups if group.default):
        by_name.setdefault(group.suffix, []).append(group)
    return [
        LayerChoice(
            name,
            sum(group.sides for group in same),
            formatting.plural(sum(group.count for group in same), "layer"),
            any(group.default for group in same),
        )
        for name, same in by_name.items()
    ]


def preset_card(key: str, title: str, recipe: Recipe, estimate: Preflight) -> PresetCard:
    """A preset card; time and memory are empty while they cannot be estimated."""
    time = formatting.duration(estimate.seconds) if estimate.seconds else ""
    memory = formatting.size(estimate.memory_bytes) if estimate.memory_bytes else ""
    rank = f", r\u00a0{recipe.qlora.r}" if recipe.qlora.enabled else ""
    note = formatting.plural(recipe.optim.epochs, "epoch") + rank
    return PresetCard(key, title, time or formatting.plural(estimate.steps, "step"), f"{memory}\n{note}".strip())


def make_plan(estimate: Preflight, workers: Iterable[WorkerRow], need: Shape = ANY_MACHINE) -> Plan:
    """The summary of a preflight against the memory of the best live worker that may train it."""
    alive = [worker for worker in workers if worker.alive and not worker.draining]
    fitting = [worker for worker in alive if parse_shape(worker.pool).can_run(need)]
    best = max(fitting or alive, key=lambda worker: worker.gpu_memory_total or worker.memory_total, default=None)
    largest, device = (best.gpu_memory_total or best.memory_total, best.device) if best else (0, "")
    share = estimate.memory_bytes / largest if largest else 0.0
    warnings = [PlanWarning(sentence, name) for name, sentence in estimate.problems]
    if not alive:
        warnings.append(PlanWarning("No worker is running, so the job will wait. Start one with ./loreel worker."))
    elif not fitting:
        warnings.append(PlanWarning(missing_hardware(Counter(worker.pool for worker in alive), need), "machine.kind"))
    part = estimate.trainable_parameters / estimate.total_parameters if estimate.total_parameters else 0.0
    return Plan(
        known=bool(estimate.steps),
        memory=formatting.size(estimate.memory_bytes),
        memory_total=formatting.size(largest) if largest else "",
        memory_share=round(min(1.0, share), 4),
        fits=share <= MEMORY_SHARE,
        device=device,
        steps=formatting.count(estimate.steps),
        time=formatting.duration(estimate.seconds) if estimate.seconds else "",
        seconds=estimate.seconds,
        trainable=_trainable_text(estimate),
        trainable_share=formatting.percent(part, 1) if part else "",
        adapter=formatting.size(estimate.adapter_bytes),
        clips=f"{formatting.count(estimate.train_clips)} train, {formatting.count(estimate.validation_clips)} val",
        warnings=list(dict.fromkeys(warnings)),
        advice=" ".join(estimate.advice),
        vision_frozen=estimate.vision_frozen,
        has_vision_tower=estimate.has_vision_tower,
        has_liger=estimate.has_liger,
        has_classes=task_spec(estimate.task).has_classes,
        compares_clips=task_spec(estimate.task).contrastive,
        measured=estimate.measured,
        measurements=measured_facts(estimate),
        remarks=[str(remark) for remark in estimate.rehearsed.get("remarks") or []],
        shapes=[_shape_row(group) for group in estimate.shapes[:SHAPES]],
        other_shapes=_other_shapes(estimate),
        counts_tokens=any(group.most_tokens for group in estimate.shapes),
        cut_clips=_cut_clips(estimate),
    )


def _shape_row(group: ShapeGroup) -> ShapeRow:
    return ShapeRow(
        f"{group.width} \u00d7 {group.height}",
        formatting.count(group.clips),
        _span(group.least_frames, group.most_frames),
        f"{group.seen_width} \u00d7 {group.seen_height}" if group.seen_width else "",
        _span(group.least_tokens, group.most_tokens),
    )


def _span(least: int, most: int) -> str:
    low, high = sorted((least, most))
    return formatting.count(low) if low == high else f"{formatting.count(low)}\u2013{formatting.count(high)}"


def _other_shapes(estimate: Preflight) -> str:
    others = estimate.train_clips + estimate.validation_clips - sum(group.clips for group in estimate.shapes[:SHAPES])
    return f"{formatting.plural(others, 'clip')} of other sizes." if others > 0 else ""


def _cut_clips(estimate: Preflight) -> str:
    total = sum(group.clips for group in estimate.shapes)
    if not estimate.over_context or not total:
        return ""
    share = formatting.percent(estimate.over_context / total, 1)
    verb = "does" if estimate.over_context == 1 else "do"
    return (
        f"{formatting.plural(estimate.over_context, 'clip')} ({share}) {verb} not fit the context of "
        f"{formatting.count(estimate.context)} tokens."
    )


def _trainable_text(estimate: Preflight) -> str:
    """What is trained in all; of bases whose head is of unknown size, what the adapters have."""
    measured = int(estimate.rehearsed.get("trainable") or 0)
    count = formatting.count(measured or estimate.trainable_parameters)
    return count if measured or estimate.counts_head else f"{count} in adapters"


def measured_facts(estimate: Preflight) -> list[PlanFact]:
    """What a rehearsal measured; before there is one, the tokens that the model's configuration implies."""
    facts = estimate.rehearsed
    rows = []
    if facts:
        count, height, width = [*(facts.get("frames") or []), 0, 0, 0][:3]
        rows += [
            ("Peak memory", formatting.size(estimate.memory_bytes)),
            ("Forward and backward pass of one batch", _short_duration(float(facts.get("step_s") or 0.0))),
            ("A clip as the model sees it", f"{count} frames of {width} \u00d7 {height}"),
        ]
    tokens = int(facts.get("visual_tokens") or estimate.visual_tokens)
    if tokens:
        rows.append(("Visual tokens per clip", formatting.count(tokens)))
    if estimate.context:
        longest = int(facts.get("context_tokens") or 0)
        used = (
            f"{formatting.count(longest)} of {formatting.count(estimate.context)}"
            if longest
            else formatting.count(estimate.context)
        )
        rows.append(("Longest line" if longest else "Context", f"{used} tokens"))
    layers = [f"{row['suffix']} \u00d7 {row['count']}" for row in facts.get("targets") or []]
    if layers:
        rows.append(("Layers with an adapter", ", ".join(layers)))
    return [PlanFact(label, value) for label, value in rows]


def _short_duration(seconds: float) -> str:
    return (
        formatting.duration(seconds)
        if seconds >= 10
        else f"{seconds:.2g} s"
        if seconds >= 1
        else f"{seconds * 1000:.0f} ms"
    )


def review_rows(
    dataset: str, model: str, recipe: Recipe, clips_note: str, varied: Collection[str] = ()
) -> list[ReviewRow]:
    """Everything that will be launched, line by line.

    Args:
        varied: fields of a sweep, which have no single value.
    """
    return [
        ReviewRow("Data", "Dataset", dataset, 1),
        *([ReviewRow("Data", "Clips", clips_note, 1)] if clips_note else []),
        ReviewRow("Model", "Base model", model, 2),
        *recipe_lines(recipe, varied),
    ]


_BLOCKS = {"Data": "Dataset and model", "Model": "Dataset and model", "Training": "Method", "QLoRA": "Method"}
"""The blocks of the review by the groups of its lines; other groups have one of their own."""


def review_blocks(rows: Iterable[ReviewRow]) -> list[ReviewBlock]:
    """The lines of the review in blocks, in their order."""
    blocks: dict[str, ReviewBlock] = {}
    for row in rows:
        title = _BLOCKS.get(row.group, row.group)
        blocks.setdefault(title, ReviewBlock(title, row.step, [])).lines.append(row)
    return list(blocks.values())


def sweep_fields(values: Mapping[str, str]) -> frozenset[str]:
    """The fields that the sweep varies; empty without a sweep, and while its values are invalid."""
    return frozenset(sweep.read_grid(values)) if sweep.count_jobs(values) > 1 else frozenset()


def plan_of_jobs(plan: Plan, jobs: int) -> Plan:
    """The plan of one job as that of a sweep: steps and time are of all its jobs."""
    if jobs < 2 or not plan.known:
        return plan
    seconds = plan.seconds * jobs
    return replace(
        plan,
        steps=f"{jobs} \u00d7 {plan.steps}",
        time=f"{formatting.duration(seconds)} for {jobs} jobs" if seconds else "",
    )


def sweep_rows(values: Mapping[str, str]) -> list[ReviewRow]:
    """The values of a sweep, and how many jobs it creates."""
    size = sweep.count_jobs(values)
    if size < 2:
        return []
    names = dict(sweep.CHOICES)
    rows = [
        ReviewRow("Sweep", names.get(field, field), ", ".join(listed), 3)
        for field, listed in sweep.read_grid(values).items()
    ]
    return [*rows, ReviewRow("Sweep", "Jobs", formatting.plural(size, "job"), 3)]
