"""Clips that are uploaded again: existing clips without annotation take the new one, others keep their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, Split
from orchestrator.domain.tasks import TASKS
from orchestrator.services.datasets.curation.versions import Changes, count_clips
from orchestrator.services.datasets.ingest.import_clips import NewClip

_TEXT_COLUMNS = ("label", "caption", "prompt")
_CHUNK = 500


def merge_annotations(session: Session, dataset_id: int, reuploaded: Sequence[NewClip]) -> str:
    """Gives existing clips without annotation that of an uploaded clip with the same content, as one edit.

    Args:
        reuploaded: uploaded clips whose content the dataset has already.

    Returns:
        What was done, in sentences; "" where no content came again.
    """
    dataset = session.get_one(Dataset, dataset_id)
    column = TASKS[dataset.task].annotation.value
    uploaded = _by_content(reuploaded)
    changes: Changes = {}
    kept_own = 0
    existing = _existing_clips(session, dataset_id, uploaded)
    for content, clips in existing.items():
        new, annotated = uploaded[content], next((clip for clip in clips if getattr(clip, column)), None)
        annotation = getattr(new, column) if new.status is ClipStatus.OK else ""
        if annotated is not None:
            kept_own += bool(annotation) and annotation != getattr(annotated, column)
        elif annotation:  # of two existing clips with the same content one is enough
            changes[str(clips[0].id)] = _annotate(clips[0], new)
            session.add(clips[0])
    if changes:
        what = f"{count_clips(len(changes))}: the {column} of files that were uploaded again"
        session.add(DatasetEdit(dataset_id=dataset_id, version=dataset.version + 1, what=what, changes=changes))
    session.flush()
    return _sentences(column, len(existing), len(changes), kept_own)


def _existing_clips(session: Session, dataset_id: int, uploaded: Mapping[str, NewClip]) -> dict[str, list[Clip]]:
    """The dataset's usable or unannotated clips with these contents, by content hash."""
    by_content: dict[str, list[Clip]] = {}
    intact = select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "", Clip.status != ClipStatus.BAD)
    contents = list(uploaded)
    for start in range(0, len(contents), _CHUNK):
        part = col(Clip.content_hash).in_(contents[start : start + _CHUNK])
        for clip in session.exec(intact.where(part).order_by(col(Clip.id))):
            by_content.setdefault(clip.content_hash, []).append(clip)
    return by_content


def _by_content(reuploaded: Sequence[NewClip]) -> dict[str, NewClip]:
    """One clip for each content, an annotated one where there is one."""
    by_content: dict[str, NewClip] = {}
    for clip in reuploaded:
        if clip.status is ClipStatus.OK or clip.content_hash not in by_content:
            by_content[clip.content_hash] = clip
    return by_content


def _annotate(clip: Clip, new: NewClip) -> dict[str, list[str]]:
    """Sets the texts that the clip does not have, and puts it into use.

    Returns:
        The changes: {field: [before, after]}.
    """
    values: dict[str, Any] = {
        name: text for name in _TEXT_COLUMNS if (text := getattr(new, name)) and not getattr(clip, name)
    }
    if clip.split is Split.AUTO and new.split is not Split.AUTO:
        values["split"] = new.split
    if clip.problem_kind is ClipProblem.NOT_ANNOTATED:
        values["status"], clip.problem, clip.problem_kind = ClipStatus.OK, "", None
    changed = {name: [str(getattr(clip, name)), str(value)] for name, value in values.items()}
    for name, value in values.items():
        setattr(clip, name, value)
    return changed


def _sentences(column: str, existing: int, annotated: int, kept_own: int) -> str:
    if not existing:
        return ""
    sentences = [f"{count_clips(existing)} {'was' if existing == 1 else 'were'} here already."]
    if annotated:
        sentences.append(f"{annotated:,} had no {column} and took the one that came now.")
    if kept_own:
        pronoun = "its" if kept_own == 1 else "their"
        sentences.append(f"{kept_own:,} came with another {column}, and kept {pronoun} own.")
    return " ".join(sentences)
