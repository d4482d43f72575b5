"""The rows of base models that pages and the REST API share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from orchestrator.domain.families import current_title
from orchestrator.domain.json_schemas import Described, OneOf
from orchestrator.domain.models import ModelDetails, ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import ModelType


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One base model; the path of its files is shown only to its owner."""

    id: int
    owner_id: int | None
    name: str
    description: str
    model_type: Annotated[str, OneOf(ModelType, "")]
    architecture: str
    family: str
    source: Annotated[str, OneOf(ModelSource)]
    source_ref: str
    revision: str
    status: Annotated[str, OneOf(ModelStatus, "in_use")]
    """processing, ready, in_use (ready, and an active job of the actor's trains it) or error."""
    error: str
    parameters: int
    size_bytes: int
    details: Annotated[dict[str, Any], Described(ModelDetails)]
    jobs: int
    """How many of the actor's jobs use or used it."""
    created_at: datetime
    editable: bool
    """False for the built-in ones."""


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """The linear layers whose names end in `suffix`."""

    suffix: str
    count: int
    parameters: int
    """Parameters of all of them together."""
    default: bool
    """Whether they get an adapter by default."""
    sides: int = 0
    """Inputs and outputs of all of them together: the parameters of their adapters at rank 1."""


def model_row(model: VideoModel, jobs: int, active: int, editable: bool) -> ModelRow:
    """The row of a stored model; `jobs` and `active` are counts of the actor's jobs on it."""
    assert model.id is not None
    status = str(model.status)
    return ModelRow(
        id=model.id,
        owner_id=model.owner_id,
        name=model.name,
        description=model.description,
        model_type=str(model.model_type),
        architecture=current_title(model.architecture),
        family=model.family,
        source=str(model.source),
        source_ref=model.source_ref if editable or model.owner_id is None else "",
        revision=model.revision,
        status="in_use" if active and status == "ready" else status,
        error=model.error,
        parameters=model.parameters,
        size_bytes=model.size_bytes,
        details={key: value for key, value in model.details.items() if key != "sealed_token"},
        jobs=jobs,
        created_at=model.created_at,
        editable=editable,
    )


def vision_layout(model: VideoModel) -> dict[str, int] | None:
    """How a video language model turns a clip into tokens (vision_tokens.py); None for other models."""
    return (model.details or {}).get("sight")


def adapter_sides(group: Mapping[str, Any]) -> int:
    """Inputs and outputs of the layers of a group together: LoRA adds rank * (in + out) each (Hu et al. 2021)."""
    return (int(group.get("in_features", 0)) + int(group.get("out_features", 0))) * int(group.get("count", 1))


def layer_groups(model: VideoModel) -> list[dict[str, Any]]:
    """The linear layers by name ending: suffix, count, parameters, in_features, out_features, default."""
    return list((model.details or {}).get("layers") or [])
