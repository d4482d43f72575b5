"""The adapters that a user can ask on the playground, with everything that loading one needs."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.adapters import Adapter, ResultKind
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.files import adapter_folder

MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """One version of an adapter and its folder."""

    id: int
    line: str
    """The name that its versions share."""
    version: int
    task: str
    source_job: int
    model_id: int | None
    model_revision: str
    """SHA-256 of the base weights that it was trained on; "" where it is not known."""
    dataset_id: int | None
    folder: Path
    recipe: dict[str, Any]
    created_at: datetime
    question: str = ""
    """What a clip is asked where nobody asks: the most usual question of its training; "" for a caption."""
    system: str = ""
    """The system turn of its training."""

    @property
    def name(self) -> str:
        """The line with its version: "my-run v2"."""
        return f"{self.line} v{self.version}"


def find_adapter(session: Session, actor: Actor, adapter_id: int) -> AdapterFacts:
    """One adapter version of the actor's.

    Raises:
        NotFound: it or its files do not exist, or it belongs to another user. Invalid: it is a complete model.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    facts = _facts(adapter)
    if adapter.kind is not ResultKind.ADAPTER:
        raise Invalid(f"{facts.name} is a complete model. Register it as a base model to try it.", "adapter_id")
    if not (facts.folder / "adapter_config.json").is_file():
        raise NotFound(f"The files of {facts.name} are no longer on the disk. Train it again.", "adapter_id")
    return facts


def list_adapters(session: Session, actor: Actor) -> list[AdapterFacts]:
    """The actor's adapters whose files exist, the newest first."""
    mine = (Adapter.owner_id == actor.user_id, Adapter.kind == ResultKind.ADAPTER)
    adapters = session.exec(select(Adapter).where(*mine).order_by(col(Adapter.id).desc()).limit(MAX_LISTED))
    return [facts for adapter in adapters if ((facts := _facts(adapter)).folder / "adapter_config.json").is_file()]


def _facts(adapter: Adapter) -> AdapterFacts:
    return AdapterFacts(
        id=adapter.id or 0,
        line=adapter.name,
        version=adapter.version,
        task=adapter.task,
        source_job=adapter.source_job,
        model_id=adapter.model_id,
        model_revision=adapter.model_revision,
        dataset_id=adapter.dataset_id,
        folder=adapter_folder(adapter),
        recipe=dict(adapter.recipe or {}),
        created_at=adapter.created_at,
        question=adapter.summary.question,
        system=adapter.summary.system,
    )
