"""Clips that are uploaded again: existing clips without annotation take the new one, others keep their own."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from orchestrator.domain.annotations import Annotations
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, Split
from orchestrator.domain.tasks import TASKS
from orchestrator.services.datasets.curation.history import Changes, changes_between, edited_values
from orchestrator.services.datasets.curation.versions import count_clips
from orchestrator.services.datasets.ingest.import_clips import Content, NewClip, content_of

_CHUNK = 500


def merge_annotations(session: Session, dataset_id: int, reuploaded: Sequence[NewClip]) -> str:
    """Gives existing clips without annotation that of an uploaded clip with the same content, as one edit.

    Args:
        reuploaded: uploaded clips whose content the dataset has already.

    Returns:
        What was done, in sentences; "" where no content came again.
    """
    dataset = session.get_one(Dataset, dataset_id)
    spec = TASKS[dataset.task]
    uploaded = _by_content(reuploaded)
    changes: Changes = {}
    kept_own = 0
    existing = _existing_clips(session, dataset_id, uploaded)
    for content, clips in existing.items():
        new = uploaded[content]
        annotated = next((clip for clip in clips if spec.can_use(clip.annotated)), None)
        if new.status is not ClipStatus.OK:
            continue
        if annotated is not None:
            kept_own += new.annotated != annotated.annotated
        else:  # of two existing clips with the same content one is enough
            changes[str(clips[0].id)] = _annotate(clips[0], new)
            session.add(clips[0])
    word = spec.annotation.spec.word
    if changes:
        what = f"{count_clips(len(changes))}: the {word} of files that were uploaded again"
        session.add(DatasetEdit(dataset_id=dataset_id, version=dataset.version + 1, what=what, changes=changes))
    session.flush()
    return _sentences(word, len(existing), len(changes), kept_own)


def _existing_clips(
    session: Session, dataset_id: int, uploaded: Mapping[Content, NewClip]
) -> dict[Content, list[Clip]]:
    """The dataset's usable or unannotated clips with these contents."""
    by_content: dict[Content, list[Clip]] = {}
    intact = select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "", Clip.status != ClipStatus.BAD)
    hashes = list(dict.fromkeys(content_hash for content_hash, _ in uploaded))
    for start in range(0, len(hashes), _CHUNK):
        part = col(Clip.content_hash).in_(hashes[start : start + _CHUNK])
        for clip in session.exec(intact.where(part).order_by(col(Clip.id))):
            if content_of(clip) in uploaded:
                by_content.setdefault(content_of(clip), []).append(clip)
    return by_content


def _by_content(reuploaded: Sequence[NewClip]) -> dict[Content, NewClip]:
    """One clip for each content, an annotated one where there is one."""
    by_content: dict[Content, NewClip] = {}
    for clip in reuploaded:
        if clip.status is ClipStatus.OK or content_of(clip) not in by_content:
            by_content[content_of(clip)] = clip
    return by_content


def _annotate(clip: Clip, new: NewClip) -> dict[str, list[str]]:
    """Sets the annotations that the clip does not have, and puts it into use.

    Returns:
        The changes: {field: [before, after]}.
    """
    before, own, further = edited_values(clip), clip.annotated, new.annotated
    clip.annotate(
        Annotations(
            own.labels or further.labels, own.captions or further.captions, own.conversations or further.conversations
        )
    )
    if clip.split is Split.AUTO:
        clip.split = new.split
    if clip.problem_kind in (ClipProblem.NOT_ANNOTATED, ClipProblem.OTHER_ANNOTATION):
        clip.status, clip.problem, clip.problem_kind = ClipStatus.OK, "", None
    return changes_between(before, edited_values(clip))


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
