"""The dataset doctor: checks a dataset before training, and runs the actions that its findings offer."""

import os
from dataclasses import dataclass
from typing import assert_never

from pydantic import TypeAdapter
from sqlmodel import Session

from orchestrator.domain.datasets import ClipProblem, ClipStatus
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_TRANSCODE
from orchestrator.domain.tasks import TASKS, Annotation, Task
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.curation import findings
from orchestrator.services.datasets.curation.annotation_edits import repair_text
from orchestrator.services.datasets.curation.class_variants import class_variants, merge_variants
from orchestrator.services.datasets.curation.conversions import (
    Conversion,
    convert_annotations,
    helpful_conversions,
)
from orchestrator.services.datasets.curation.edits import Change, assign_splits, delete_bad_clips, edit_clips
from orchestrator.services.datasets.curation.examined_clips import ExaminedClip, examined_clips
from orchestrator.services.datasets.curation.findings import ACTION_LABELS, Finding
from orchestrator.services.datasets.curation.versions import EditRow
from orchestrator.services.datasets.media.previews import previews_folder
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.datasets.stored_results import state_of, stored_or_computed
from orchestrator.services.fair_turns import Share
from orchestrator.services.queue import enqueue, transcode_key

_REPORTS: dict[tuple[object, ...], "Report"] = {}
"""Reports by the state of the dataset, so that opening the page again does not check thousands of clips again."""
_MAX_REPORTS = 64


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, and the checks that passed."""

    findings: list[Finding]
    passed: list[str]


_KIND = TypeAdapter(Report)


def examine(session: Session, actor: Actor, dataset_id: int) -> Report:
    """Checks all clips of a dataset; the report is cached until the dataset changes, that of a large one as a file.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    row = get_dataset(session, actor, dataset_id)
    converted = _converted(dataset_id)
    key = (dataset_id, row.version, row.updated_at, row.clip_count, row.bad_count, len(converted))
    if (report := _REPORTS.get(key)) is None:
        report = report_of(session, row, converted)
        for old in list(_REPORTS)[: max(0, len(_REPORTS) - _MAX_REPORTS)]:
            _REPORTS.pop(old, None)
        _REPORTS[key] = report
    return report


def report_of(session: Session, row: DatasetRow, converted: frozenset[str] | None = None) -> Report:
    """The report of a dataset without a look at who asks; kept as a file where the dataset is large.

    Args:
        converted: what `_converted` returns, where it is known.
    """
    copies = _converted(row.id) if converted is None else converted
    state = state_of(row, sorted(copies))
    return stored_or_computed(row, "report", state, _KIND, lambda: _examine(session, row.id, row.task, copies))


def _converted(dataset_id: int) -> frozenset[str]:
    """The names of the H.264 copies, and of the markers of those that could not be made."""
    try:
        return frozenset(name for name in os.listdir(previews_folder(dataset_id)) if not name.endswith(".part"))
    except FileNotFoundError:
        return frozenset()


def _examine(session: Session, dataset_id: int, task: str, converted: frozenset[str]) -> Report:
    clips = examined_clips(session, dataset_id)
    usable = [clip for clip in clips if clip.status is ClipStatus.OK]
    unannotated = [clip for clip in clips if clip.problem_kind is ClipProblem.NOT_ANNOTATED]
    other = [clip for clip in clips if clip.problem_kind is ClipProblem.OTHER_ANNOTATION]
    annotation = TASKS[task].annotation
    word = annotation.spec.word
    missing = findings.unannotated(unannotated, word, helpful_conversions(Task(task), unannotated))
    convertible = findings.other_annotation(other, helpful_conversions(Task(task), other))
    if not usable:
        return Report([finding for finding in (missing, convertible) if finding], [])
    leaks, copies = findings.near_duplicates(usable)
    checks = [
        (findings.damaged([clip for clip in clips if clip.status is ClipStatus.BAD]), "Every file decodes"),
        (missing, f"Every clip has a {word}"),
        (findings.too_few_frames(usable), "Every clip has enough frames"),
        (findings.single_split(usable), "Validation has clips of its own"),
    ]
    if any(clip.codec for clip in usable):
        checks.append((findings.needs_preview_copies(usable, converted), "Every clip plays in a browser"))
    if any(clip.perceptual_hash for clip in usable):  # clips without a hash were not compared
        checks += [(leaks, "No training clip is in validation again"), (copies, "No clip is there twice")]
    if other:
        checks.append((convertible, ""))
    if any(clip.span for clip in usable):
        checks.append((findings.overlapping_spans(usable), "No spans contradict each other"))
    checks += _checks_of(annotation, usable)
    checks.append((findings.encoding_errors(usable), "Every text has the right encoding"))
    order = {"error": 0, "warning": 1, "info": 2}
    worst_first = sorted((finding for finding, _ in checks if finding), key=lambda finding: order[finding.severity])
    return Report(worst_first, [passed for finding, passed in checks if not finding])


def _checks_of(annotation: Annotation, usable: list[ExaminedClip]) -> list[tuple[Finding | None, str]]:
    """The checks of the annotations, each with the sentence that is shown when it passes."""
    match annotation:
        case Annotation.LABEL:
            return [
                (findings.single_clip_classes(usable), "Every class has clips for validation"),
                (findings.class_imbalance(usable), "Classes are even"),
                (class_variants(usable), "No class is written in two ways"),
            ]
        case Annotation.CAPTION:
            return [
                (findings.long_captions(usable), "No caption is too long"),
                (findings.repeated_captions(usable), "Every caption is unique"),
            ]
        case _:
            assert_never(annotation)


def _find(session: Session, actor: Actor, dataset_id: int, kind: str) -> Finding | None:
    return next((found for found in examine(session, actor, dataset_id).findings if found.kind == kind), None)


def clips_of_finding(session: Session, actor: Actor, dataset_id: int, kind: str) -> tuple[str, list[int]] | None:
    """The title of a finding and the clips to show for it; None when there is no such finding any more.

    Raises:
        NotFound: the dataset does not exist, or belongs to another user.
    """
    finding = _find(session, actor, dataset_id, kind)
    return (finding.title, sorted({*finding.clip_ids, *finding.related})) if finding else None


def apply_action(
    session: Session, actor: Actor, dataset_id: int, kind: str, action: str, expected: tuple[str, str] | None = None
) -> EditRow | None:
    """Runs an action of a finding.

    Args:
        expected: title and detail as the user has read them; the action is refused when the finding has changed since.

    Returns:
        The edit, which can be undone; None where no clip was changed.

    Raises:
        NotFound: there is no such finding any more. Conflict: it does not offer this action, or has changed.
    """
    finding = _find(session, actor, dataset_id, kind)
    if finding is None:
        raise NotFound("This has been corrected already.")
    if expected is not None and expected != (finding.title, finding.detail):
        raise Conflict("The finding has changed. Read it, then try again.")
    if action not in dict(finding.actions):
        raise Conflict("This finding does not offer that action.")
    if action == "delete":
        delete_bad_clips(session, actor, dataset_id, finding.clip_ids)
        return None
    if action == "transcode":
        key, share = transcode_key(dataset_id), Share(actor.user_id)
        after_commit(session, lambda: enqueue(TASK_TRANSCODE, key, PREP, share, dataset_id=dataset_id))
        return None
    if action == "split":
        return assign_splits(session, actor, dataset_id, 0.2)
    if action == "merge":
        return merge_variants(session, actor, dataset_id)
    if action in list(Conversion):
        return convert_annotations(session, actor, dataset_id, Conversion(action), finding.clip_ids)
    if action == "mend":
        return repair_text(session, actor, dataset_id, finding.clip_ids)
    change = Change(split="train") if action == "train" else Change(status="quarantined")
    return edit_clips(
        session, actor, dataset_id, finding.clip_ids, change, f"{finding.title}: {ACTION_LABELS[action].lower()}"
    )
