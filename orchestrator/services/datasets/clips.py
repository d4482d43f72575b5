"""One clip of a dataset: correct its label, caption or split; find the files that pages play."""

from pathlib import Path

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Split, Task
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import owned_clip
from orchestrator.services.datasets.rows import ClipRow, clip_row
from orchestrator.settings import get_settings

_MIN_CLIPS = 2


def get_clip(session: Session, actor: Actor, clip_id: int) -> ClipRow:
    """One clip of the actor's datasets."""
    return clip_row(owned_clip(session, actor, clip_id))


def update_clip(
    session: Session,
    actor: Actor,
    clip_id: int,
    label: str | None = None,
    caption: str | None = None,
    split: str | None = None,
) -> ClipRow:
    """Corrects what is said about a clip; None leaves a value as it is.

    Raises:
        Invalid: `problems` by field. Conflict: the clip's class would be left with too few. NotFound.
    """
    clip = owned_clip(session, actor, clip_id)
    dataset = session.get_one(Dataset, clip.dataset_id)
    if dataset.is_demo:
        raise Conflict("The demo dataset stays as it is. Add a dataset of your own to label clips.")
    if dataset.status is not DatasetStatus.READY:
        raise Conflict("This dataset is not ready. Wait until its clips are read.")
    problems: list[tuple[str, str]] = []
    if label is not None and not 1 <= len(label.strip()) <= 200:
        problems.append(("label", "A label has 1 to 200 characters."))
    if caption is not None and len(caption) > 4000:
        problems.append(("caption", "A caption has at most 4,000 characters."))
    if split is not None and split not in list(Split):
        problems.append(("split", f"Choose from: {', '.join(Split)}."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    if label is not None and label.strip() != clip.label:
        _relabel(session, dataset, clip, label.strip())
    clip.caption = clip.caption if caption is None else caption.strip()
    clip.split = clip.split if split is None else Split(split)
    dataset.version, dataset.updated_at = dataset.version + 1, utcnow()
    session.add_all([clip, dataset])
    session.flush()
    return clip_row(clip)


def _relabel(session: Session, dataset: Dataset, clip: Clip, label: str) -> None:
    good = (col(Clip.dataset_id) == dataset.id, col(Clip.status) == ClipStatus.OK)
    labels = list(session.exec(select(Clip.label).where(*good, col(Clip.id) != clip.id)).all())
    if clip.status is ClipStatus.OK:
        rest = labels.count(clip.label)
        if dataset.task is Task.CLASSIFICATION and rest < _MIN_CLIPS:
            raise Conflict(
                f"Class {clip.label} would be left with {rest} clip. Each class needs at least two.", "label"
            )
        if dataset.task is Task.CLASSIFICATION and label not in labels:
            raise Conflict(f"There is no class {label} here. Choose one of: {', '.join(sorted(set(labels)))}.", "label")
    clip.label = label


def clip_media(session: Session, actor: Actor, clip_id: int, thumbnail: bool = False) -> Path:
    """The clip's file, or its film strip.

    Raises:
        NotFound: no such clip, somebody else's, or it has no such file.
    """
    clip = owned_clip(session, actor, clip_id)
    name, root = clip.thumbnail_path if thumbnail else clip.path, get_settings().storage_dir.resolve()
    path = (root / name).resolve()
    if not name or not path.is_relative_to(root) or not path.is_file():
        raise NotFound("This clip has no picture." if thumbnail else "The file of this clip is gone.")
    return path
