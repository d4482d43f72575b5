"""Edits of clips, one or thousands at once: each makes a new version of the dataset and can be undone."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, DatasetStatus, Split
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.split_rule import validation_count
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_clip, owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.counts import update_counts
from orchestrator.services.datasets.curation.near_duplicates import near_pairs, similar_groups
from orchestrator.services.datasets.curation.versions import Changes, EditRow, count_clips, edit_row, parse_value
from orchestrator.services.datasets.rows import ClipRow, clip_row
from orchestrator.services.datasets.text_repair import normalize_text, repair_encoding
from orchestrator.settings import get_settings

MIN_CLASSES, MAX_CLIPS = 2, 100_000
_MAX_LABEL, _MAX_CAPTION = (kind.max_length for kind in (Annotation.LABEL, Annotation.CAPTION))
_CHUNK = 500
_TEXT_COLUMNS = ("label", "caption", "prompt")
Edits = list[tuple[Clip, dict[str, Any]]]
"""Clips with their new values by column."""


@dataclass(frozen=True, slots=True)
class Change:
    """New values; None leaves a field as it is. `status`: ok or quarantined."""

    label: str | None = None
    caption: str | None = None
    split: str | None = None
    status: str | None = None


def edit_clips(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], change: Change, what: str = ""
) -> EditRow | None:
    """Makes the same change to each of these clips.

    Args:
        what: the description of the edit; "" for a generated one.

    Returns:
        The edit; None when it changes nothing.

    Raises:
        Invalid: `problems` by field. Conflict: the dataset is the demo, is not ready, or too few clips would be left.
        NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    values = _validated(dataset, change)
    clips, column = _clips(session, dataset_id, clip_ids), _annotation_column(dataset)
    for clip in clips:
        if "status" in values and clip.status is ClipStatus.BAD:
            raise Conflict(f"{clip.name} is damaged and stays left out. Delete it, or add it again.", "status")
        if values.get("status") is ClipStatus.OK and not values.get(column, getattr(clip, column)):
            raise Conflict(f"{clip.name} has no {column} yet. Write one, and the clip is used.", "status")
    return _apply(session, dataset, [(clip, values) for clip in clips], what or partial(_describe, values))


def assign_splits(session: Session, actor: Actor, dataset_id: int, share: float, seed: int = 42) -> EditRow | None:
    """Assigns `share` of each class to validation and the rest to training; the same seed draws the same clips.

    Near-duplicates stay in the same split.

    Raises:
        Invalid: `share` is not between 0.05 and 0.5. Conflict: the dataset cannot be edited. NotFound.
    """
    if not 0.05 <= share <= 0.5:
        raise Invalid("Hold out between 5 and 50 percent.", "share")
    dataset = editable(session, actor, dataset_id)
    groups: dict[str, list[Clip]] = defaultdict(list)
    usable = session.exec(select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)).all()
    near_duplicates = similar_groups(near_pairs([(clip.id or 0, clip.perceptual_hash) for clip in usable]))
    for clip in usable:
        groups[clip.label if TASKS[dataset.task].has_classes else ""].append(clip)
    if not usable:
        raise Conflict("No clip is in use yet, so that there is nothing to split.")
    edits: Edits = []
    for group in groups.values():
        group.sort(key=lambda clip: hashlib.sha256(f"{seed}|{clip.content_hash}|{clip.id}".encode()).digest())
        drawn = [clip.id or 0 for clip in group]
        validation = _draw_validation(drawn, validation_count(len(group), share), near_duplicates)
        edits += [(clip, {"split": Split.VALIDATION if clip.id in validation else Split.TRAIN}) for clip in group]
    return _apply(session, dataset, edits, f"{share:.0%} of each class held out for validation, seed {seed}")


def _draw_validation(drawn: list[int], count: int, near_duplicates: dict[int, set[int]]) -> set[int]:
    """Picks the validation clips of one class: the first `count` of the drawn order, near-duplicates together.

    A group of near-duplicates that would exceed `count` is skipped; if nothing is left, the first `count` are taken.
    """
    chosen, in_class = set[int](), set(drawn)
    for clip_id in drawn:
        group = ({clip_id} | near_duplicates.get(clip_id, set()) & in_class) - chosen
        if len(chosen) + len(group) <= count:
            chosen |= group
    return chosen or set(drawn[:count])


def undo_edit(session: Session, actor: Actor, dataset_id: int | None, edit_id: int) -> EditRow | None:
    """Reverts an edit by a new edit; values that were changed again since stay as they are.

    Args:
        dataset_id: None for the dataset that the edit belongs to.

    Raises:
        Conflict: it was undone already. NotFound.
    """
    edit = session.get(DatasetEdit, edit_id)
    if edit is None or dataset_id not in (None, edit.dataset_id):
        raise NotFound("There is no such edit.")
    dataset = editable(session, actor, edit.dataset_id)
    if edit.undone:
        raise Conflict("This edit was undone already.")
    clips = _clips(session, edit.dataset_id, [int(clip_id) for clip_id in edit.changes], missing_ok=True)
    edits: Edits = []
    for clip in clips:
        fields = edit.changes[str(clip.id)].items()
        back = {
            name: parse_value(name, old) for name, (old, new) in fields if getattr(clip, name) == parse_value(name, new)
        }
        edits.append((clip, _undone(_annotation_column(dataset), clip, edit.changes[str(clip.id)], back)))
    edit.undone = True
    session.add(edit)
    return _apply(session, dataset, edits, f"Version {edit.version} undone", back=True)


def _undone(column: str, clip: Clip, fields: Mapping[str, list[str]], back: dict[str, Any]) -> dict[str, Any]:
    """The values to restore for one clip; a clip without annotation is never put into use."""
    if column in fields and column not in back:  # the annotation was changed again since
        back.pop("status", None)
    used, unannotated = back.get("status", clip.status) is ClipStatus.OK, not back.get(column, getattr(clip, column))
    if used and unannotated and {column, "status"} & back.keys():
        return back | {"status": ClipStatus.QUARANTINED}
    return back


def repair_text(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int]) -> EditRow | None:
    """Repairs texts of these clips that were decoded with a wrong encoding, where the right text is certain."""
    dataset = editable(session, actor, dataset_id)
    clips = _clips(session, dataset_id, clip_ids)
    edits: Edits = [(clip, {name: repair_encoding(getattr(clip, name)) for name in _TEXT_COLUMNS}) for clip in clips]
    return _apply(session, dataset, edits, "Encoding repaired")


def replace_in_captions(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], find: str, put: str
) -> EditRow | None:
    """Replaces a text in the captions of these clips, case-sensitively.

    Args:
        find: the text to replace.
        put: its replacement.

    Raises:
        Invalid: field `find`: it is empty; field `put`: a caption would become empty or too long. Conflict. NotFound.
    """
    if not find:
        raise Invalid("Enter the text to replace.", "find")
    dataset = editable(session, actor, dataset_id)
    clips = [clip for clip in _clips(session, dataset_id, clip_ids) if find in clip.caption]
    edits: Edits = [(clip, {"caption": clip.caption.replace(find, put).strip()}) for clip in clips]
    refused = next((clip for clip, values in edits if not 1 <= len(values["caption"]) <= _MAX_CAPTION), None)
    if refused is not None:
        name = refused.name.rpartition("/")[2]
        raise Invalid(f"The caption of {name} would not have 1 to {_MAX_CAPTION:,} characters then.", "put")
    return _apply(session, dataset, edits, f"{count_clips(len(clips))}: “{find[:60]}” is now “{put[:60]}”")


def delete_bad_clips(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int]) -> int:
    """Deletes damaged clips. They were never trained on, so that this makes no new version.

    Returns:
        How many were deleted.

    Raises:
        Conflict: they were usable in an older version. NotFound.
    """
    editable(session, actor, dataset_id)
    changes = session.exec(select(DatasetEdit.changes).where(DatasetEdit.dataset_id == dataset_id))
    once_usable = {int(clip_id) for edit in changes for clip_id, fields in edit.items() if "status" in fields}
    bad = [clip for clip in _clips(session, dataset_id, clip_ids) if clip.status is ClipStatus.BAD]
    clips = [clip for clip in bad if clip.id not in once_usable]
    if bad and not clips:
        raise Conflict("These clips are part of an older version of this dataset, which a job may still use.")
    paths = {name for clip in clips for name in (clip.path, clip.thumbnail_path) if name}
    for clip in clips:
        session.delete(clip)
    session.flush()
    # Duplicates share one file, which the remaining clip still needs.
    remaining = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id))
    paths -= {name for pair in remaining for name in pair}
    update_counts(session, session.get_one(Dataset, dataset_id))
    root = get_settings().storage_dir
    after_commit(session, lambda: [(root / name).unlink(missing_ok=True) for name in paths])
    return len(clips)


def editable(session: Session, actor: Actor, dataset_id: int) -> Dataset:
    """The actor's dataset, if its clips can be edited.

    Raises:
        Conflict: it is the demo, or not ready. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.is_demo:
        raise Conflict("The demo dataset cannot be changed. Add a dataset of your own to label clips.")
    if dataset.status is not DatasetStatus.READY:
        raise Conflict("This dataset is not ready. Wait until its clips are imported.")
    return dataset


def _validated(dataset: Dataset, change: Change) -> dict[str, Any]:
    """The new values of a change by column, stripped and in the types of their columns.

    Raises:
        Invalid: `problems` by field.
    """
    problems: list[tuple[str, str]] = []
    annotation = TASKS[dataset.task].annotation
    label = None if change.label is None else normalize_text(change.label).strip()
    least_label, least_caption = int(annotation is Annotation.LABEL), int(annotation is Annotation.CAPTION)
    if label is not None and not least_label <= len(label) <= _MAX_LABEL:
        problems.append(("label", f"A label has 1 to {_MAX_LABEL:,} characters."))
    if change.caption is not None and not least_caption <= len(change.caption.strip()) <= _MAX_CAPTION:
        problems.append(("caption", f"A caption has 1 to {_MAX_CAPTION:,} characters."))
    if change.split is not None and change.split not in list(Split):
        problems.append(("split", f"Choose from: {', '.join(Split)}."))
    if change.status is not None and change.status not in (ClipStatus.OK, ClipStatus.QUARANTINED):
        problems.append(("status", "Choose from: ok, quarantined."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    # A label that equals an existing class after normalization is that class.
    label = next((name for name in dataset.class_names if label and normalize_text(name) == label), label)
    values = {"label": label, "caption": change.caption, "split": change.split, "status": change.status}
    return {name: parse_value(name, value.strip()) for name, value in values.items() if value is not None}


def _clips(session: Session, dataset_id: int, clip_ids: Iterable[int], missing_ok: bool = False) -> list[Clip]:
    """The clips with these ids.

    Raises:
        Invalid: there are none, or too many. NotFound: one is not in the dataset, unless `missing_ok`.
    """
    ids = list(dict.fromkeys(clip_ids))
    if not ids or len(ids) > MAX_CLIPS:
        sentence = f"Choose at most {MAX_CLIPS:,} clips at once." if ids else "Choose some clips first."
        raise Invalid(sentence, "clip_ids")
    clips: list[Clip] = []
    for start in range(0, len(ids), _CHUNK):
        part = col(Clip.id).in_(ids[start : start + _CHUNK])
        clips += session.exec(select(Clip).where(Clip.dataset_id == dataset_id, part)).all()
    if len(clips) < len(ids) and not missing_ok:
        raise NotFound("Some of these clips are not in this dataset any more. Reload the page.")
    return clips


def _apply(
    session: Session, dataset: Dataset, edits: Edits, what: str | Callable[[int], str], back: bool = False
) -> EditRow | None:
    """Writes the edits as one new version.

    Args:
        what: the description, or a function that makes it from the number of changed clips.
        back: whether this undoes another edit.

    Returns:
        The edit; None when nothing changes.

    Raises:
        Conflict: too few clips would be left to train on.
    """
    changes: Changes = {}
    labels = select(Clip.label).where(Clip.dataset_id == dataset.id, Clip.status == ClipStatus.OK).distinct()
    had_enough = len(session.exec(labels).all()) >= (MIN_CLASSES if TASKS[dataset.task].has_classes else 1)
    for clip, values in edits:
        for name, value in _with_status(dataset, clip, values).items():
            if (before := getattr(clip, name)) != value:
                changes.setdefault(str(clip.id), {})[name] = [str(before), str(value)]
                setattr(clip, name, value)
                session.add(clip)
        if clip.status is ClipStatus.QUARANTINED and not getattr(clip, _annotation_column(dataset)):
            clip.problem = f"{clip.name.rpartition('/')[2]} has no {_annotation_column(dataset)} yet."
            clip.problem_kind = ClipProblem.NOT_ANNOTATED
        elif clip.status is ClipStatus.OK:
            clip.problem, clip.problem_kind = "", None
    if not changes:
        return None
    session.flush()
    dataset.version, dataset.updated_at = dataset.version + 1, utcnow()
    counts = update_counts(session, dataset)
    if had_enough and not back:  # otherwise it is still being labelled, and a launch checks for enough clips
        _require_enough(dataset, counts)
    name = what if isinstance(what, str) else what(len(changes))
    edit = DatasetEdit(dataset_id=dataset.id or 0, version=dataset.version, what=name[:200], changes=changes)
    session.add(edit)
    session.flush()
    return edit_row(edit)


def _annotation_column(dataset: Dataset) -> str:
    """The column that a clip needs for training: label or caption."""
    return TASKS[dataset.task].annotation.value


def _with_status(dataset: Dataset, clip: Clip, values: dict[str, Any]) -> dict[str, Any]:
    """The values; with the status `ok` where the clip was left out only because it was not annotated."""
    if not (clip.problem_kind is ClipProblem.NOT_ANNOTATED and values.get(_annotation_column(dataset))):
        return values
    clip.problem, clip.problem_kind = "", None
    return {"status": ClipStatus.OK, **values}


def _require_enough(dataset: Dataset, counts: Counter[str]) -> None:
    if not counts:
        raise Conflict("No clip would be left. Keep some of them.")
    if not TASKS[dataset.task].has_classes:
        return
    if len(counts) < MIN_CLASSES:
        raise Conflict(f"Only one class would be left. {TASKS[dataset.task].title} needs at least two.", "label")


def _describe(values: dict[str, Any], count: int) -> str:
    """The description of an edit, for the list of versions."""
    words = {
        "label": lambda v: f"label {v if len(v) <= 60 else v[:59] + '…'}",
        "caption": lambda _: "a new caption",
        "split": lambda v: f"split {v}",
        "status": lambda v: "left out" if v is ClipStatus.QUARANTINED else "used again",
    }
    return f"{count_clips(count)}: " + ", ".join(words[name](value) for name, value in values.items())


def update_clip(
    session: Session,
    actor: Actor,
    clip_id: int,
    label: str | None = None,
    caption: str | None = None,
    split: str | None = None,
    status: str | None = None,
) -> ClipRow:
    """Changes one clip; None leaves a value as it is.

    Raises:
        Invalid: `problems` by field. Conflict: see `edit_clips`. NotFound.
    """
    clip = owned_clip(session, actor, clip_id)
    edit_clips(session, actor, clip.dataset_id, [clip_id], Change(label, caption, split, status))
    session.refresh(clip)
    return clip_row(clip)
