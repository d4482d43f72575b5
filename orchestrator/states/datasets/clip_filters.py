"""Which clips of a dataset its page shows, and how they are asked for."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.doctor import clips_of_finding


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which clips the grid shows."""

    label: str = ""
    split: str = ""
    status: str = "ok"
    q: str = ""
    found: str = ""
    """The kind of a finding of the doctor: only its clips, in use or not."""


def filters_of(session: Session, actor: Actor, dataset_id: int, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """What the finding says, "" for none, and the filters as `list_clips` and `matching_clips` take them."""
    filters: dict[str, Any] = {"label": wanted.label, "split": wanted.split, "status": wanted.status, "q": wanted.q}
    found = clips_of_finding(session, actor, dataset_id, wanted.found) if wanted.found else None
    if found is None:
        return "", filters
    title, ids = found
    return title, filters | {"status": "", "ids": ids}
