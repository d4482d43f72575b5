"""Looks a dataset over before somebody trains on it: what is wrong, how bad it is, what one press can do about it."""

import os
from dataclasses import dataclass
from typing import assert_never

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_TRANSCODE
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.curation import findings
from orchestrator.services.datasets.curation.edits import (
    Change,
    assign_splits,
    delete_bad_clips,
    edit_clips,
    mend_words,
)
from orchestrator.services.datasets.curation.findings import WORDS, Finding
from orchestrator.services.datasets.curation.versions import EditRow
from orchestrator.services.datasets.media.previews import copies_of
from orchestrator.services.queue import enqueue, transcode_key

_SEEN: dict[tuple[object, ...], "Report"] = {}
"""Reports by the state they were made of: a page that is opened again does not examine thousands of clips again."""
_MOST_SEEN = 64


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what is in order."""

    findings: list[Finding]
    passed: list[str]


def examine(session: Session, actor: Actor, dataset_id: int) -> Report:
    """Reads every clip's facts, once for each state of the dataset.

    Raises:
        NotFound: no such dataset, or somebody else's.
    """
    row = get_dataset(session, actor, dataset_id)
    converted = _converted(dataset_id)
    key = (dataset_id, row.version, row.updated_at, row.clip_count, row.bad_count, len(converted))
    if (known := _SEEN.get(key)) is None:
        known = _examine(session, dataset_id, row.task, converted)
        for old in list(_SEEN)[: max(0, len(_SEEN) - _MOST_SEEN)]:
            _SEEN.pop(old, None)
        _SEEN[key] = known
    return known


def _converted(dataset_id: int) -> frozenset[str]:
    """The names of the H.264 copies that were made, and of those that could not be."""
    try:
        return frozenset(name for name in os.listdir(copies_of(dataset_id)) if not name.endswith(".part"))
    except FileNotFoundError:
        return frozenset()


def _examine(session: Session, dataset_id: int, task: str, converted: frozenset[str]) -> Report:
    clips = list(session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(col(Clip.id))))
    good = [clip for clip in clips if clip.status is ClipStatus.OK]
    waits = [clip for clip in clips if clip.problem_kind is ClipProblem.NOT_ANNOTATED]
    annotation = TASKS[task].annotation
    word = annotation.spec.word
    if not good:
        mute = findings.unsaid(waits, word)
        return Report([mute] if mute else [], [])
    leaks, copies = findings.alike(good)
    looked = [
        (findings.damaged([clip for clip in clips if clip.status is ClipStatus.BAD]), "Every file decodes"),
        (findings.unsaid(waits, word), f"Every clip has a {word}"),
        (findings.short(good), "Every clip has frames enough"),
        (findings.one_sided(good), "Validation has clips of its own"),
    ]
    if any(clip.codec for clip in good):
        looked.append((findings.unplayed(good, converted), "Every clip plays in a browser"))
    if any(clip.perceptual_hash for clip in good):  # nothing is claimed of clips that were not compared
        looked += [(leaks, "No clip of train comes again in validation"), (copies, "No clip is there twice")]
    looked += _checks_of(annotation, good)
    looked.append((findings.broken_letters(good), "Every letter can be read"))
    order = {"error": 0, "warning": 1, "info": 2}
    worst_first = sorted((found for found, _ in looked if found), key=lambda found: order[found.severity])
    return Report(worst_first, [passed for found, passed in looked if not found])


def _checks_of(annotation: Annotation, good: list[Clip]) -> list[tuple[Finding | None, str]]:
    """What is examined about the annotations themselves, each check with its sentence where nothing was found."""
    match annotation:
        case Annotation.LABEL:
            return [
                (findings.lone(good), "Every class has clips enough to hold one out"),
                (findings.uneven(good), "Classes are even"),
            ]
        case Annotation.CAPTION:
            return [
                (findings.long_captions(good), "No caption is overlong"),
                (findings.repeated(good), "Every caption is its own"),
            ]
        case _:
            assert_never(annotation)


def clips_of_finding(session: Session, actor: Actor, dataset_id: int, kind: str) -> tuple[str, list[int]] | None:
    """What it says, and the clips to look at for it; None when it is not found any more.

    Raises:
        NotFound: no such dataset, or somebody else's.
    """
    finding = next((f for f in examine(session, actor, dataset_id).findings if f.kind == kind), None)
    return (finding.title, sorted({*finding.clip_ids, *finding.beside})) if finding else None


def treat(
    session: Session, actor: Actor, dataset_id: int, kind: str, action: str, said: tuple[str, str] | None = None
) -> EditRow | None:
    """Does what a finding offers; the edit, which can be undone, or None where the clips' facts stay.

    Args:
        said: its title and detail as somebody read them: more than that is never done.

    Raises:
        NotFound: it is not found any more. Conflict: it does not offer this, or says something else by now.
    """
    finding = next((f for f in examine(session, actor, dataset_id).findings if f.kind == kind), None)
    if finding is None:
        raise NotFound("This is put right already.")
    if said is not None and said != (finding.title, finding.detail):
        raise Conflict("The doctor finds something else by now. Look at it, then press again.")
    if action not in dict(finding.actions):
        raise Conflict("That cannot be done about this finding.")
    if action == "delete":
        delete_bad_clips(session, actor, dataset_id, finding.clip_ids)
        return None
    if action == "transcode":
        after_commit(session, lambda: enqueue(TASK_TRANSCODE, transcode_key(dataset_id), PREP, dataset_id=dataset_id))
        return None
    if action == "split":
        return assign_splits(session, actor, dataset_id, 0.2)
    if action == "mend":
        return mend_words(session, actor, dataset_id, finding.clip_ids)
    change = Change(split="train") if action == "train" else Change(status="quarantined")
    return edit_clips(session, actor, dataset_id, finding.clip_ids, change, f"{finding.title}: {WORDS[action].lower()}")
