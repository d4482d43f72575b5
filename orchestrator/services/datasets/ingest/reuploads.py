"""Clips that are added again, with words: one that had none takes them, one that had some keeps its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, Split
from orchestrator.domain.tasks import TASKS
from orchestrator.services.datasets.curation.versions import Changes, count_clips
from orchestrator.services.datasets.ingest.import_clips import NewClip

_WORDS = ("label", "caption", "prompt")
_CHUNK = 500


def take_words(session: Session, dataset_id: int, came: Sequence[NewClip]) -> str:
    """Gives clips that wait for their words those that came with the same bytes: one edit, which can be undone.

    Args:
        came: what was brought of content that the dataset has already.

    Returns:
        What became of it, in sentences; "" when nothing came again.
    """
    dataset = session.get_one(Dataset, dataset_id)
    said = TASKS[dataset.task].annotation.value
    brought = _brought(came)
    changes: Changes = {}
    others = 0
    here = _here(session, dataset_id, brought)
    for content, clips in here.items():
        new, has = brought[content], next((clip for clip in clips if getattr(clip, said)), None)
        word = getattr(new, said) if new.status is ClipStatus.OK else ""
        if has is not None:
            others += bool(word) and word != getattr(has, said)
        elif word:  # where the same film waits twice, one of them is enough
            changes[str(clips[0].id)] = _give(clips[0], new)
            session.add(clips[0])
    if changes:
        what = f"{count_clips(len(changes))}: the {said} of files that came again"
        session.add(DatasetEdit(dataset_id=dataset_id, version=dataset.version + 1, what=what, changes=changes))
    session.flush()
    return _told(said, len(here), len(changes), others)


def _here(session: Session, dataset_id: int, brought: Mapping[str, NewClip]) -> dict[str, list[Clip]]:
    """The whole clips of what was brought, by their content."""
    found: dict[str, list[Clip]] = {}
    whole = select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "", Clip.status != ClipStatus.BAD)
    contents = list(brought)
    for start in range(0, len(contents), _CHUNK):
        part = col(Clip.content_hash).in_(contents[start : start + _CHUNK])
        for clip in session.exec(whole.where(part).order_by(col(Clip.id))):
            found.setdefault(clip.content_hash, []).append(clip)
    return found


def _brought(came: Sequence[NewClip]) -> dict[str, NewClip]:
    """Each content once: the file of it that says enough to learn from, else any."""
    found: dict[str, NewClip] = {}
    for clip in came:
        if clip.status is ClipStatus.OK or clip.content_hash not in found:
            found[clip.content_hash] = clip
    return found


def _give(clip: Clip, new: NewClip) -> dict[str, list[str]]:
    """Sets what the clip does not say itself; with its words it comes in. What changed: {field: [before, after]}."""
    values: dict[str, Any] = {name: word for name in _WORDS if (word := getattr(new, name)) and not getattr(clip, name)}
    if clip.split is Split.AUTO and new.split is not Split.AUTO:
        values["split"] = new.split
    if clip.problem_kind is ClipProblem.NOT_ANNOTATED:
        values["status"], clip.problem, clip.problem_kind = ClipStatus.OK, "", None
    changed = {name: [str(getattr(clip, name)), str(value)] for name, value in values.items()}
    for name, value in values.items():
        setattr(clip, name, value)
    return changed


def _told(said: str, again: int, took: int, others: int) -> str:
    if not again:
        return ""
    told = [f"{count_clips(again)} {'was' if again == 1 else 'were'} here already."]
    if took:
        told.append(f"{took:,} had no {said} and took the one that came now.")
    if others:
        told.append(f"{others:,} came with another {said}, and kept {'its' if others == 1 else 'their'} own.")
    return " ".join(told)
