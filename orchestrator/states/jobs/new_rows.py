"""What the wizard shows: choices, presets and the plan on the right, as small frozen rows with their words ready."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.machines import ANY_MACHINE, Shape, parse_shape
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS
from orchestrator.services.training.capacity import missing_hardware
from orchestrator.services.training.recipe_limits import MEMORY_SHARE
from orchestrator.services.training.rows import Preflight
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
    broken: str
    """Why it can train nothing now, or ""."""
    reason: str = ""
    """Why it cannot be chosen here: broken, or made for another task than the dataset's."""


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """One kind of linear layer that may get an adapter."""

    suffix: str
    size: str
    note: str
    default: bool


@dataclass(frozen=True, slots=True)
class PresetCard:
    """A preset with what it would cost here, as the kit's radio cards take it."""

    value: str
    label: str
    figure: str
    note: str


@dataclass(frozen=True, slots=True)
class PlanFact:
    """One line of what a rehearsal found."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """What speaks against the launch; `field` is where it can be mended, "" where nothing of the form would help."""

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
    trainable: str = ""
    trainable_share: str = ""
    adapter: str = ""
    clips: str = ""
    warnings: list[PlanWarning] = field(default_factory=list)
    advice: str = ""
    vision_frozen: bool = False
    has_vision_tower: bool = False
    has_liger: bool = False
    measured: bool = False
    """True where memory and time come from a rehearsal of this very form."""
    found: list[PlanFact] = field(default_factory=list)
    """What that rehearsal found."""
    remarks: list[str] = field(default_factory=list)
    """What it says of captions and clips that the base takes otherwise than written."""


def dataset_choice(row: Any, clip_ids: Sequence[int] = ()) -> DatasetChoice:
    """From a DatasetRow; the first of `clip_ids` gives the picture."""
    reason = ""
    if row.status in ("processing", "draft"):
        reason = "Still being read. It can be chosen as soon as it is ready."
        if row.status == "draft":
            reason = "It has no clips yet. Add files to it first."
    elif row.status == "error":
        reason = row.error or "It could not be read. Open it to see why."
    elif row.clip_count == 0:
        reason = "It has no usable clips."
    classes = f", {formatting.plural(len(row.class_names), 'class', 'classes')}" if row.class_names else ""
    note = f"{formatting.plural(row.clip_count, 'clip')}{classes}, {formatting.size(row.size_bytes)}"
    picture = f"/api/v1/clips/{clip_ids[0]}/thumbnail" if clip_ids else ""
    return DatasetChoice(row.id, row.name, str(row.task), note, reason, picture, bool(row.is_demo))


def model_choice(row: Any) -> ModelChoice:
    """From a ModelRow."""
    broken = "" if row.status in ("ready", "in_use") else row.error or "It is still being read."
    does = TASK_OF_MODEL[row.model_type].key.value
    note = f"{formatting.short_count(row.parameters)} parameters, {formatting.size(row.size_bytes)}"
    return ModelChoice(row.id, row.name, row.architecture, does, note, row.description, row.parameters, broken, broken)


def fit_models(models: Iterable[ModelChoice], task: str) -> list[ModelChoice]:
    """The same models, each with the reason why it does not suit a dataset of that task ("": none chosen yet).

    Those that suit come first.
    """
    judged = [
        replace(
            model,
            reason=model.broken
            or (f"It does {model.task}; the chosen dataset is for {task}." if not _fits(model.task, task) else ""),
        )
        for model in models
    ]
    return sorted(judged, key=lambda model: bool(model.reason))


def _fits(does: str, task: str) -> bool:
    """True too while no dataset is chosen."""
    return not task or TASKS[does].model_type in TASKS[task].fits


def layer_choices(groups: Iterable[Any]) -> list[LayerChoice]:
    """From the model's layer groups (suffix, count, parameters, default); groups of one name become one choice.

    Heads are left out: they are trained whole or not at all.
    """
    by_name: dict[str, list[Any]] = {}
    for group in (group for group in groups if group.default):
        by_name.setdefault(group.suffix, []).append(group)
    return [
        LayerChoice(
            name,
            formatting.short_count(sum(group.parameters for group in same)),
            formatting.plural(sum(group.count for group in same), "layer"),
            any(group.default for group in same),
        )
        for name, same in by_name.items()
    ]


def preset_card(key: str, title: str, recipe: Recipe, estimate: Preflight) -> PresetCard:
    """A preset card; time and memory stay empty while they cannot be worked out."""
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
        trainable=formatting.count(estimate.trainable_parameters),
        trainable_share=formatting.percent(part, 1) if part else "",
        adapter=formatting.size(estimate.adapter_bytes),
        clips=f"{formatting.count(estimate.train_clips)} train, {formatting.count(estimate.validation_clips)} val",
        warnings=list(dict.fromkeys(warnings)),
        advice=" ".join(estimate.advice),
        vision_frozen=estimate.vision_frozen,
        has_vision_tower=estimate.has_vision_tower,
        has_liger=estimate.has_liger,
        measured=estimate.measured,
        found=found_facts(estimate),
        remarks=[str(remark) for remark in estimate.rehearsed.get("remarks") or []],
    )


def found_facts(estimate: Preflight) -> list[PlanFact]:
    """A rehearsal's findings, or what the config tells of the tokens while there was none."""
    facts = estimate.rehearsed
    rows = []
    if facts:
        count, height, width = [*(facts.get("frames") or []), 0, 0, 0][:3]
        rows += [
            ("Peak memory", formatting.size(estimate.memory_bytes)),
            ("One batch, there and back", _short(float(facts.get("step_s") or 0.0))),
            ("A clip as the model sees it", f"{count} frames of {width} \u00d7 {height}"),
        ]
    tokens = int(facts.get("visual_tokens") or estimate.visual_tokens)
    if tokens:
        rows.append(("Visual tokens a clip", formatting.count(tokens)))
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


def _short(seconds: float) -> str:
    return (
        formatting.duration(seconds)
        if seconds >= 10
        else f"{seconds:.2g} s"
        if seconds >= 1
        else f"{seconds * 1000:.0f} ms"
    )


def review_rows(dataset: str, model: str, recipe: Recipe, clips_note: str) -> list[ReviewRow]:
    """Everything that will be launched, line by line."""
    return [
        ReviewRow("Data", "Dataset", dataset, 1),
        ReviewRow("Data", "Clips", clips_note, 1),
        ReviewRow("Model", "Base model", model, 2),
        *recipe_lines(recipe),
    ]


def tried_rows(values: Mapping[str, str]) -> list[ReviewRow]:
    """The lists of a sweep, and how many jobs they make."""
    size = sweep.count_jobs(values)
    if size < 2:
        return []
    names = dict(sweep.CHOICES)
    rows = [
        ReviewRow("Sweep", names.get(field, field), ", ".join(found), 3)
        for field, found in sweep.read_grid(values).items()
    ]
    return [*rows, ReviewRow("Sweep", "Jobs", formatting.plural(size, "job"), 3)]
