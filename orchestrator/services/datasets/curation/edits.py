"""Corrects what is said about clips, one or thousands at once: a new version each time, and a way back."""

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
from orchestrator.services.datasets.curation.near_duplicates import bunches, near_pairs
from orchestrator.services.datasets.curation.versions import Changes, EditRow, count_clips, edit_row, typed
from orchestrator.services.datasets.rows import ClipRow, clip_row
from orchestrator.services.datasets.text_repair import as_seen, mended
from orchestrator.settings import get_settings

MIN_CLASSES, MOST = 2, 100_000
_LONGEST_CAPTION = 4_000
_CHUNK = 500
_WORDS = ("label", "caption", "prompt")
Wanted = list[tuple[Clip, dict[str, Any]]]


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
    """The same change to each of these clips; None when it changes nothing.

    Raises:
        Invalid: `problems` by field. Conflict: the demo, not ready, or too little would be left. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    values = _checked(dataset, change)
    clips = _clips(session, dataset_id, clip_ids)
    for clip in clips:
        if "status" in values and clip.status is ClipStatus.BAD:
            raise Conflict(f"{clip.name} is damaged and stays left out. Delete it, or add it again.", "status")
        if values.get("status") is ClipStatus.OK and not values.get(said := _said(dataset), getattr(clip, said)):
            raise Conflict(f"{clip.name} has no {said} yet. Write one, and it is taken in.", "status")
    return _apply(session, dataset, [(clip, values) for clip in clips], what or partial(_say, values))


def assign_splits(session: Session, actor: Actor, dataset_id: int, share: float, seed: int = 42) -> EditRow | None:
    """Holds out `share` of each class for validation, the rest is for training: the same draw for the same seed.

    Clips that are nearly copies of each other stay on one side.

    Raises:
        Invalid: `share` is not between 0.05 and 0.5. Conflict. NotFound.
    """
    if not 0.05 <= share <= 0.5:
        raise Invalid("Hold out between 5 and 50 percent.", "share")
    dataset = editable(session, actor, dataset_id)
    groups: dict[str, list[Clip]] = defaultdict(list)
    good = session.exec(select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)).all()
    alike = bunches(near_pairs([(clip.id or 0, clip.perceptual_hash) for clip in good]))
    for clip in good:
        groups[clip.label if TASKS[dataset.task].has_classes else ""].append(clip)
    if not good:
        raise Conflict("No clip is in use yet, so that there is nothing to split.")
    wanted: Wanted = []
    for group in groups.values():
        group.sort(key=lambda clip: hashlib.sha256(f"{seed}|{clip.content_hash}|{clip.id}".encode()).digest())
        held = _held([clip.id or 0 for clip in group], validation_count(len(group), share), alike)
        wanted += [(clip, {"split": Split.VALIDATION if clip.id in held else Split.TRAIN}) for clip in group]
    return _apply(session, dataset, wanted, f"{share:.0%} of each class held out for validation, seed {seed}")


def _held(drawn: list[int], count: int, alike: dict[int, set[int]]) -> set[int]:
    """The first `count` of a class as they were drawn, near copies together where they fit; never none of several."""
    held, here = set[int](), set(drawn)
    for clip_id in drawn:
        bunch = ({clip_id} | alike.get(clip_id, set()) & here) - held
        if len(held) + len(bunch) <= count:
            held |= bunch
    return held or set(drawn[:count])


def undo_edit(session: Session, actor: Actor, dataset_id: int | None, edit_id: int) -> EditRow | None:
    """Takes an edit back by a new one; what was changed again since stays as it is.

    Args:
        dataset_id: None for whichever the edit is of.

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
    wanted: Wanted = []
    for clip in clips:
        fields = edit.changes[str(clip.id)].items()
        back = {f: typed(f, old) for f, (old, new) in fields if getattr(clip, f) == typed(f, new)}
        wanted.append((clip, _undone(_said(dataset), clip, edit.changes[str(clip.id)], back)))
    edit.undone = True
    session.add(edit)
    return _apply(session, dataset, wanted, f"Version {edit.version} undone", back=True)


def _undone(said: str, clip: Clip, fields: Mapping[str, list[str]], back: dict[str, Any]) -> dict[str, Any]:
    """What goes back for one clip: its use never goes against its words, which may have come or gone since."""
    if said in fields and said not in back:  # other words were written since
        back.pop("status", None)
    used, mute = back.get("status", clip.status) is ClipStatus.OK, not back.get(said, getattr(clip, said))
    return back | {"status": ClipStatus.QUARANTINED} if used and mute and {said, "status"} & back.keys() else back


def mend_words(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int]) -> EditRow | None:
    """Puts letters right that were read in a wrong encoding, where what was meant is certain."""
    dataset = editable(session, actor, dataset_id)
    clips = _clips(session, dataset_id, clip_ids)
    wanted: Wanted = [(clip, {name: mended(getattr(clip, name)) for name in _WORDS}) for clip in clips]
    return _apply(session, dataset, wanted, "Broken letters put right")


def replace_words(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], find: str, put: str
) -> EditRow | None:
    """Puts `put` where `find` stands, letter for letter, in the captions of these clips.

    Raises:
        Invalid: field `find`, nothing to find; `put`, a caption would be empty or too long. Conflict. NotFound.
    """
    if not find:
        raise Invalid("Say which words to replace.", "find")
    dataset = editable(session, actor, dataset_id)
    clips = [clip for clip in _clips(session, dataset_id, clip_ids) if find in clip.caption]
    wanted: Wanted = [(clip, {"caption": clip.caption.replace(find, put).strip()}) for clip in clips]
    odd = next((clip for clip, said in wanted if not 1 <= len(said["caption"]) <= _LONGEST_CAPTION), None)
    if odd is not None:
        name = odd.name.rpartition("/")[2]
        raise Invalid(f"The caption of {name} would not have 1 to {_LONGEST_CAPTION:,} characters then.", "put")
    return _apply(session, dataset, wanted, f"{count_clips(len(clips))}: “{find[:60]}” is now “{put[:60]}”")


def delete_bad_clips(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int]) -> int:
    """Forgets damaged files for good; they were never learnt from, so that no version changes. How many.

    Raises:
        Conflict: an older version holds them. NotFound.
    """
    editable(session, actor, dataset_id)
    changes = session.exec(select(DatasetEdit.changes).where(DatasetEdit.dataset_id == dataset_id))
    once_good = {int(clip_id) for edit in changes for clip_id, fields in edit.items() if "status" in fields}
    bad = [clip for clip in _clips(session, dataset_id, clip_ids) if clip.status is ClipStatus.BAD]
    clips = [clip for clip in bad if clip.id not in once_good]
    if bad and not clips:
        raise Conflict("An older version of this dataset holds these clips, and a job may go on with it.")
    paths = {name for clip in clips for name in (clip.path, clip.thumbnail_path) if name}
    for clip in clips:
        session.delete(clip)
    session.flush()
    # Of a video that came twice there is one file, and the clip that stays plays it.
    stay = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id))
    paths -= {name for pair in stay for name in pair}
    _recount(session, session.get_one(Dataset, dataset_id))
    root = get_settings().storage_dir
    after_commit(session, lambda: [(root / name).unlink(missing_ok=True) for name in paths])
    return len(clips)


def editable(session: Session, actor: Actor, dataset_id: int) -> Dataset:
    """The actor's dataset, if its clips may be changed now.

    Raises:
        Conflict: the demo, or not ready. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.is_demo:
        raise Conflict("The demo dataset stays as it is. Add a dataset of your own to label clips.")
    if dataset.status is not DatasetStatus.READY:
        raise Conflict("This dataset is not ready. Wait until its clips are read.")
    return dataset


def _checked(dataset: Dataset, change: Change) -> dict[str, Any]:
    """The new values, trimmed and typed."""
    problems: list[tuple[str, str]] = []
    annotation = TASKS[dataset.task].annotation
    label = None if change.label is None else as_seen(change.label).strip()
    least_label, least_caption = int(annotation is Annotation.LABEL), int(annotation is Annotation.CAPTION)
    if label is not None and not least_label <= len(label) <= 200:
        problems.append(("label", "A label has 1 to 200 characters."))
    if change.caption is not None and not least_caption <= len(change.caption.strip()) <= _LONGEST_CAPTION:
        problems.append(("caption", f"A caption has 1 to {_LONGEST_CAPTION:,} characters."))
    if change.split is not None and change.split not in list(Split):
        problems.append(("split", f"Choose from: {', '.join(Split)}."))
    if change.status is not None and change.status not in (ClipStatus.OK, ClipStatus.QUARANTINED):
        problems.append(("status", "Choose from: ok, quarantined."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    # What looks like a class that there is, is that class.
    label = next((name for name in dataset.class_names if label and as_seen(name) == label), label)
    given = {"label": label, "caption": change.caption, "split": change.split, "status": change.status}
    return {name: typed(name, value.strip()) for name, value in given.items() if value is not None}


def _clips(session: Session, dataset_id: int, clip_ids: Iterable[int], missing_ok: bool = False) -> list[Clip]:
    ids = list(dict.fromkeys(clip_ids))
    if not ids or len(ids) > MOST:
        raise Invalid("Choose some clips first." if not ids else f"Choose at most {MOST:,} clips at once.", "clip_ids")
    found: list[Clip] = []
    for start in range(0, len(ids), _CHUNK):
        part = col(Clip.id).in_(ids[start : start + _CHUNK])
        found += session.exec(select(Clip).where(Clip.dataset_id == dataset_id, part)).all()
    if len(found) < len(ids) and not missing_ok:
        raise NotFound("Some of these clips are not in this dataset any more. Look at it again.")
    return found


def _apply(
    session: Session, dataset: Dataset, wanted: Wanted, what: str | Callable[[int], str], back: bool = False
) -> EditRow | None:
    """`what` it is called, or how that is made of the number of clips that it changes. `back`: to what was before."""
    changes: Changes = {}
    good = select(Clip.label).where(Clip.dataset_id == dataset.id, Clip.status == ClipStatus.OK).distinct()
    begun = len(session.exec(good).all()) >= (MIN_CLASSES if TASKS[dataset.task].has_classes else 1)
    for clip, values in wanted:
        for name, value in _taken_in(dataset, clip, values).items():
            if (before := getattr(clip, name)) != value:
                changes.setdefault(str(clip.id), {})[name] = [str(before), str(value)]
                setattr(clip, name, value)
                session.add(clip)
        if clip.status is ClipStatus.QUARANTINED and not getattr(clip, _said(dataset)):
            clip.problem = f"{clip.name.rpartition('/')[2]} has no {_said(dataset)} yet."
            clip.problem_kind = ClipProblem.NOT_ANNOTATED
        elif clip.status is ClipStatus.OK:
            clip.problem, clip.problem_kind = "", None
    if not changes:
        return None
    session.flush()
    dataset.version, dataset.updated_at = dataset.version + 1, utcnow()
    counts = _recount(session, dataset)
    if begun and not back:  # else it is or was still being labelled, and a job asks for enough itself
        _demand(dataset, counts)
    name = what if isinstance(what, str) else what(len(changes))
    edit = DatasetEdit(dataset_id=dataset.id or 0, version=dataset.version, what=name[:200], changes=changes)
    session.add(edit)
    session.flush()
    return edit_row(edit)


def _said(dataset: Dataset) -> str:
    """The column of a clip that has to be filled before anything can be learnt from it."""
    return TASKS[dataset.task].annotation.value


def _taken_in(dataset: Dataset, clip: Clip, values: dict[str, Any]) -> dict[str, Any]:
    """The values, and the clip comes in with them if it was left out only because it had no words."""
    if not (clip.problem_kind is ClipProblem.NOT_ANNOTATED and values.get(_said(dataset))):
        return values
    clip.problem, clip.problem_kind = "", None
    return {"status": ClipStatus.OK, **values}


def _recount(session: Session, dataset: Dataset) -> Counter[str]:
    """Brings the dataset's own figures up to date; good clips by label."""
    rows = session.exec(select(Clip.label, Clip.status, Clip.size_bytes).where(Clip.dataset_id == dataset.id)).all()
    good = [(label, size) for label, status, size in rows if status is ClipStatus.OK]
    counts = Counter(label for label, _ in good)
    dataset.class_names = sorted(counts) if TASKS[dataset.task].has_classes else []
    dataset.clip_count, dataset.bad_count = len(good), len(rows) - len(good)
    dataset.size_bytes = sum(size for _, size in good)
    session.add(dataset)
    session.flush()
    return counts


def _demand(dataset: Dataset, counts: Counter[str]) -> None:
    if not counts:
        raise Conflict("No clip would be left. Keep some.")
    if not TASKS[dataset.task].has_classes:
        return
    if len(counts) < MIN_CLASSES:
        raise Conflict(f"Only one class would be left. {TASKS[dataset.task].title} needs at least two.", "label")


def _say(values: dict[str, Any], count: int) -> str:
    """What an edit did, for the list of versions."""
    words = {
        "label": lambda v: f"label {v if len(v) <= 60 else v[:59] + '…'}",
        "caption": lambda _: "a new caption",
        "split": lambda v: f"split {v}",
        "status": lambda v: "left out" if v is ClipStatus.QUARANTINED else "taken back in",
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
    """Corrects what is said about a clip; None leaves a value as it is.

    Raises:
        Invalid: `problems` by field. Conflict: the clip's class would be left with too few. NotFound.
    """
    clip = owned_clip(session, actor, clip_id)
    edit_clips(session, actor, clip.dataset_id, [clip_id], Change(label, caption, split, status))
    session.refresh(clip)
    return clip_row(clip)
