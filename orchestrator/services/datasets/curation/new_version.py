"""Writes edits of clips as a new version of their dataset, with the rule which clips its task can use."""

from collections import Counter
from collections.abc import Callable, Iterable

from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, DatasetStatus
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.tasks import TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.audit.recording import record
from orchestrator.services.datasets.counts import labels_in_use, update_counts
from orchestrator.services.datasets.curation.history import Changes, changes_between, edited_values
from orchestrator.services.datasets.curation.versions import EditRow, edit_row
from orchestrator.services.datasets.usable import annotation_gap

MIN_CLASSES, MAX_CLIPS = 2, 100_000
_CHUNK = 500
_GAPS = (ClipProblem.NOT_ANNOTATED, ClipProblem.OTHER_ANNOTATION)
Edits = list[tuple[Clip, Callable[[Clip], None]]]
"""Clips, each with the function that changes it."""


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


def clips_with_ids(session: Session, dataset_id: int, clip_ids: Iterable[int], missing_ok: bool = False) -> list[Clip]:
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


def write_version(
    session: Session,
    actor: Actor,
    dataset: Dataset,
    edits: Edits,
    what: str | Callable[[int], str],
    back: bool = False,
) -> EditRow | None:
    """Writes the edits as one new version.

    A clip that its new annotations make usable is put into use; one that they make unusable is left out with the
    reason.

    Args:
        what: the description, or a function that makes it from the number of changed clips.
        back: whether this undoes another edit.

    Returns:
        The edit; None when nothing changes.

    Raises:
        Conflict: too few clips would be left to train on.
    """
    changes: Changes = {}
    had_enough = len(labels_in_use(session, dataset)) >= (MIN_CLASSES if TASKS[dataset.task].has_classes else 1)
    for clip, change in edits:
        before = edited_values(clip)
        change(clip)
        update_use(dataset, clip, before)
        if changed := changes_between(before, edited_values(clip)):
            changes[str(clip.id)] = changed
            session.add(clip)
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
    after = {"version": dataset.version, "edit": edit.what, "clips": len(changes)}
    record(session, actor, Act.DATASET_EDITED, dataset.id, dataset.name, after=after)
    return edit_row(edit)


def update_use(dataset: Dataset, clip: Clip, before: dict[str, str]) -> None:
    """Puts a clip into use or leaves it out, by its annotations; damaged clips stay as they are.

    Args:
        before: its values before the edit.
    """
    if clip.status is ClipStatus.BAD:
        return
    gap = annotation_gap(dataset.task, clip.name, clip.annotated)
    was_gap, status_set = clip.problem_kind in _GAPS, str(clip.status) != before["status"]
    if gap and (clip.status is ClipStatus.OK or was_gap or clip.problem_kind is None):
        clip.status, clip.problem_kind, clip.problem = ClipStatus.QUARANTINED, gap[0], gap[1][:500]
    elif gap is None and was_gap and not status_set:
        clip.status = ClipStatus.OK
    if gap is None and (clip.status is ClipStatus.OK or was_gap):
        clip.problem, clip.problem_kind = "", None


def _require_enough(dataset: Dataset, counts: Counter[str]) -> None:
    if not counts:
        raise Conflict("No clip would be left. Keep some of them.")
    if not TASKS[dataset.task].has_classes:
        return
    if len(counts) < MIN_CLASSES:
        raise Conflict(f"Only one class would be left. {TASKS[dataset.task].title} needs at least two.", "label")
