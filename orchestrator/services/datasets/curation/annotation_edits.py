"""Edits of the annotations of many clips at once: texts replaced, encodings repaired, labels added and removed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlmodel import Session

from orchestrator.domain.annotations import LABEL_LIMIT, Annotations, annotation_problem
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import class_name_of
from orchestrator.services.datasets.curation.new_version import Edits, clips_with_ids, editable, write_version
from orchestrator.services.datasets.curation.versions import EditRow, count_clips
from orchestrator.services.datasets.text_repair import normalize_text, repair_encoding


def repair_text(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int]) -> EditRow | None:
    """Repairs texts of these clips that were decoded with a wrong encoding, where the right text is certain."""
    dataset = editable(session, actor, dataset_id)
    clips = clips_with_ids(session, dataset_id, clip_ids)
    edits = _rewritten(clips, lambda annotations: annotations.rewritten(repair_encoding, labels=True))
    return write_version(session, actor, dataset, edits, "Encoding repaired")


def replace_in_texts(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], find: str, put: str
) -> EditRow | None:
    """Replaces a text in the captions, questions, answers and system turns of these clips, case-sensitively.

    Args:
        find: the text to replace.
        put: its replacement.

    Raises:
        Invalid: field `find`: it is empty; field `put`: a text would become empty or too long. Conflict. NotFound.
    """
    if not find:
        raise Invalid("Enter the text to replace.", "find")
    dataset = editable(session, actor, dataset_id)

    def rewrite(text: str) -> str:
        return text.replace(find, put).strip() if find in text else text

    clips = clips_with_ids(session, dataset_id, clip_ids)
    edits = _rewritten(clips, lambda annotations: annotations.rewritten(rewrite), "put")
    return write_version(
        session, actor, dataset, edits, f"{count_clips(len(edits))}: “{find[:60]}” is now “{put[:60]}”"
    )


def add_label(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], label: str) -> EditRow | None:
    """Adds a label to those that these clips have.

    Raises:
        Invalid: field `label`. Conflict. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    name = _label(dataset, label)

    def added(annotations: Annotations) -> Annotations:
        return replace(annotations, labels=tuple(dict.fromkeys((*annotations.labels, name))))

    edits = _rewritten(clips_with_ids(session, dataset_id, clip_ids), added)
    return write_version(session, actor, dataset, edits, f"{count_clips(len(edits))}: label {name[:60]} added")


def remove_label(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], label: str
) -> EditRow | None:
    """Removes a label from those of these clips that have it.

    Raises:
        Conflict: too few clips would be left. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    removed = {label, class_name_of(dataset, normalize_text(label).strip())}

    def without(annotations: Annotations) -> Annotations:
        return replace(annotations, labels=tuple(name for name in annotations.labels if name not in removed))

    edits = _rewritten(clips_with_ids(session, dataset_id, clip_ids), without)
    return write_version(
        session, actor, dataset, edits, f"{count_clips(len(edits))}: label {label.strip()[:60]} removed"
    )


def rename_label(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], old: str, new: str
) -> EditRow | None:
    """Gives these clips the label `new` in the place of `old`; a clip that has both keeps one of them.

    Raises:
        Invalid: field `label`. Conflict: too few classes would be left. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    name = _label(dataset, new)

    def renamed(annotations: Annotations) -> Annotations:
        labels = dict.fromkeys(name if label == old else label for label in annotations.labels)
        return replace(annotations, labels=tuple(labels))

    edits = _rewritten(clips_with_ids(session, dataset_id, clip_ids), renamed)
    return write_version(session, actor, dataset, edits, f"The class {old} is now {name}")


def _rewritten(clips: Sequence[Clip], rewrite: Callable[[Annotations], Annotations], field: str = "") -> Edits:
    """The edits of the clips that are changed.

    Raises:
        Invalid: the annotations of one of them would be none.
    """
    edits: Edits = []
    for clip in clips:
        after = rewrite(clip.annotated)
        if after == clip.annotated:
            continue
        if problem := annotation_problem(after):
            raise Invalid(f"{clip.name.rpartition('/')[2]}: {problem[1]}", field or problem[0])
        edits.append((clip, partial(_annotate, annotations=after)))
    return edits


def _annotate(clip: Clip, annotations: Annotations) -> None:
    clip.annotate(annotations)


def _label(dataset: Dataset, text: str) -> str:
    """A label as it is stored.

    Raises:
        Invalid: field `label`: it is empty or too long.
    """
    label = normalize_text(text).strip()
    if not 1 <= len(label) <= LABEL_LIMIT:
        raise Invalid(f"A label has 1 to {LABEL_LIMIT:,} characters.", "label")
    return class_name_of(dataset, label)
