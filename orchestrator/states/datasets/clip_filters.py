"""The filters of a dataset's clips on its page."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.doctor import clips_of_finding


@dataclass(frozen=True, slots=True)
class ClipFilters:
    """Which clips the grid shows."""

    label: str = ""
    split: str = ""
    status: str = "ok"
    q: str = ""
    finding: str = ""
    """The kind of a finding of the doctor: only its clips, in use or left out."""


def query_of(session: Session, actor: Actor, dataset_id: int, filters: ClipFilters) -> tuple[str, dict[str, Any]]:
    """Resolves a finding to its clips.

    Returns:
        The finding's title ("" for none), and the arguments that `list_clips` and `matching_clips` take.
    """
    query = {"label": filters.label, "split": filters.split, "status": filters.status, "q": filters.q}
    finding = clips_of_finding(session, actor, dataset_id, filters.finding) if filters.finding else None
    if finding is None:
        return "", query
    title, ids = finding
    return title, query | {"status": "", "ids": ids}
