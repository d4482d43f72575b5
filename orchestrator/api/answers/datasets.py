"""Answers about datasets that hold more, or less, than the rows of the services."""

from dataclasses import dataclass
from typing import Annotated, Self

from orchestrator.api.serialization import extended
from orchestrator.domain.datasets import DatasetStatus
from orchestrator.domain.json_schemas import OneOf
from orchestrator.services.datasets.curation.doctor import Report
from orchestrator.services.datasets.curation.findings import ACTION_LABELS, Finding, FindingKind, Severity
from orchestrator.services.datasets.curation.versions import EditRow
from orchestrator.services.datasets.ingest.archive_notes import ARCHIVES
from orchestrator.services.datasets.media.frame_preview import FramePreview
from orchestrator.services.datasets.not_used import NOT_USED, NotUsed, from_json, not_used_notes
from orchestrator.services.datasets.rows import ClipRow, DatasetRow
from orchestrator.services.datasets.statistics import CaptionWords, ClipStatistics

MOST_LISTED = 200
"""How many clips of a finding are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetAnswer(DatasetRow):
    """One dataset."""

    status: Annotated[str, OneOf([status for status in DatasetStatus if status is not DatasetStatus.DRAFT])]
    awaiting_files: bool
    """Whether it has no files yet; its status is `processing` then."""
    not_used: list[NotUsed]
    """What of the files is not used, in groups by kind and reason, also while they wait in `review`; counts are exact,
    names are the first ones."""

    @classmethod
    def of(cls, row: DatasetRow) -> Self:
        """A draft has the status `processing` in REST, and `awaiting_files` tells the two apart."""
        draft = row.status == "draft"
        not_used = from_json(row.layout.get(NOT_USED, []))
        layout = {key: value for key, value in row.layout.items() if key not in (NOT_USED, ARCHIVES)}
        if "notes" in layout:
            layout["notes"] = [*layout["notes"], *not_used_notes(not_used)]
        return extended(
            cls,
            row,
            status="processing" if draft else row.status,
            awaiting_files=draft,
            layout=layout,
            not_used=not_used,
        )


@dataclass(frozen=True, slots=True)
class EditAnswer:
    """What a change of clips did."""

    edit: EditRow | None
    """None where nothing changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFrames(FramePreview):
    """The frames that a model gets."""

    sheet: str  # pyright: ignore[reportIncompatibleVariableOverride]
    """The address of the image with all of them, in rows of `columns`."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many clips a class has."""

    label: str
    clips: int


@dataclass(frozen=True, slots=True)
class FrameSizeCount:
    """How many clips have frames of one size."""

    width: int
    height: int
    clips: int


@dataclass(frozen=True, slots=True)
class LeftOutClip:
    """A clip that is not used."""

    clip_id: int
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class FindingAnswer:
    """One problem of a dataset."""

    kind: FindingKind
    severity: Severity
    title: str
    detail: str
    count: int
    """How many clips it concerns."""
    clip_ids: list[str]
    """The first of them."""
    actions: list[Annotated[str, OneOf(ACTION_LABELS)]]
    """What can be done about it, for POST .../findings/{kind}/{action}."""

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """The answer for a finding of the doctor."""
        return cls(
            kind=finding.kind,
            severity=finding.severity,
            title=finding.title,
            detail=finding.detail,
            count=len(finding.clip_ids),
            clip_ids=[str(clip_id) for clip_id in finding.clip_ids[:MOST_LISTED]],
            actions=[key for key, _ in finding.actions],
        )


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """Statistics and findings of a dataset, and the clips that were left out."""

    clip_count: int
    bad_count: int
    total_s: float
    median_s: float
    shortest_s: float
    longest_s: float
    classes: list[ClassCount]
    frame_sizes: list[FrameSizeCount]
    splits: dict[str, int]
    """Clips by split: auto, train, validation."""
    caption_words: CaptionWords | None
    findings: list[FindingAnswer]
    passed: list[str]
    """Checks that found nothing."""
    left_out: list[LeftOutClip]

    @classmethod
    def of(cls, row: DatasetRow, statistics: ClipStatistics, health: Report, bad: list[ClipRow]) -> Self:
        """The report of one dataset."""
        return cls(
            clip_count=row.clip_count,
            bad_count=row.bad_count,
            total_s=statistics.total_s,
            median_s=statistics.median_s,
            shortest_s=statistics.shortest_s,
            longest_s=statistics.longest_s,
            classes=[ClassCount(label, number) for label, number in statistics.classes],
            frame_sizes=[FrameSizeCount(*size) for size in statistics.frame_sizes],
            splits=statistics.splits,
            caption_words=statistics.captions,
            findings=[FindingAnswer.of(finding) for finding in health.findings],
            passed=health.passed,
            left_out=[LeftOutClip(clip.id, clip.name, clip.problem) for clip in bad],
        )
