"""The rows of the model pages, made of what the services return."""

from dataclasses import dataclass

from orchestrator.domain import formatting
from orchestrator.domain.models import ModelSource
from orchestrator.domain.tasks import TASK_OF_MODEL
from orchestrator.services.models.rows import LayerGroup, ModelRow

_SOURCES = {
    ModelSource.BUILTIN.value: "Built in",
    ModelSource.PATH.value: "Folder on this machine",
    ModelSource.UPLOAD.value: "Uploaded",
    ModelSource.HUB.value: "Hugging Face Hub",
}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One base model as a card or the head of its page."""

    id: int
    name: str
    description: str
    architecture: str
    type: str
    status: str
    error: str
    parameters: str
    size: str
    size_4bit: str
    input: str
    """Frames and frame size: "8 frames, 48 px"."""
    source: str
    added_at: str
    builtin: bool
    jobs_text: str
    progress: str
    """How far fetching or checking is; "" when it has ended."""
    can_try_again: bool
    accepts_files: bool
    """Its upload was interrupted or refused: the files can be uploaded again."""


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One kind of linear layer, and whether it gets an adapter by default."""

    suffix: str
    count: str
    parameters: str
    share: float
    default: bool


def memory_text(row: ModelRow) -> str:
    """The size of the weights in NF4, or "" while unknown."""
    nbytes = int(row.details.get("nf4_bytes") or 0)
    return formatting.size(nbytes) if nbytes else ""


def input_text(row: ModelRow) -> str:
    """The model's input: "8 frames, 48 px"."""
    frames, side = row.details.get("frames"), row.details.get("image_size")
    parts = [f"{frames} frames" if frames else "", f"{side}{formatting.NBSP}px" if side else ""]
    return ", ".join(part for part in parts if part)


def progress_text(row: ModelRow) -> str:
    """The stage of a model in processing."""
    if row.status != "processing":
        return ""
    stage, done, total = row.details.get("stage"), row.details.get("done"), row.details.get("total")
    if stage == "fetching" and total:
        return f"Fetching from the Hub: {formatting.size(int(done or 0))} of {formatting.size(int(total))}."
    stages = {
        "fetching": "Asking the Hub.",
        "checking": "Checking every tensor.",
        "receiving": "Its files have not all arrived. Open it to add them, or keep the page open that uploads them.",
    }
    return stages.get(str(stage), "Being read.")


def model_card(row: ModelRow) -> ModelCard:
    """A model's row as a card."""
    return ModelCard(
        id=row.id,
        name=row.name,
        description=row.description,
        architecture=row.architecture,
        type=TASK_OF_MODEL[row.model_type].model_title,
        status="waiting" if _is_receiving(row) else row.status,
        error=row.error,
        parameters=formatting.short_count(row.parameters) if row.parameters else "",
        size=formatting.size(row.size_bytes) if row.size_bytes else "",
        size_4bit=memory_text(row),
        input=input_text(row),
        source=_SOURCES[row.source],
        added_at=formatting.iso(row.created_at),
        builtin=row.source == "builtin",
        jobs_text=formatting.plural(row.jobs, "job") if row.jobs else "Not trained yet",
        progress=progress_text(row),
        can_try_again=row.status == "error" and row.source in ("hub", "path") and row.editable,
        accepts_files=row.editable and row.source == "upload" and _waits_for_files(row),
    )


def _waits_for_files(row: ModelRow) -> bool:
    return _is_receiving(row) or row.status == "error"


def _is_receiving(row: ModelRow) -> bool:
    return row.status == "processing" and row.details.get("stage") == "receiving"


def layer_lines(groups: list[LayerGroup]) -> list[LayerLine]:
    """The layer groups, largest first."""
    top = max((group.parameters for group in groups), default=1) or 1
    ordered = sorted(groups, key=lambda group: (-group.parameters, group.suffix))
    return [
        LayerLine(
            g.suffix,
            formatting.count(g.count),
            formatting.short_count(g.parameters),
            100 * g.parameters / top,
            g.default,
        )
        for g in ordered
    ]
