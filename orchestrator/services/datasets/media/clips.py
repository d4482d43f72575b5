"""One clip of a dataset: its row, and the files that pages play."""

from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.errors import NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_clip
from orchestrator.services.datasets.media.strips import span_strip_of
from orchestrator.services.datasets.rows import ClipRow, clip_row
from orchestrator.settings import get_settings


def get_clip(session: Session, actor: Actor, clip_id: int) -> ClipRow:
    """One clip in a dataset of the actor's.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    return clip_row(owned_clip(session, actor, clip_id))


def clip_media(session: Session, actor: Actor, clip_id: int, thumbnail: bool = False) -> Path:
    """The file of the clip, or its film strip: that of its span, or of the whole film where there is none.

    Raises:
        NotFound: the clip does not exist, belongs to another user, or has no such file.
    """
    clip = owned_clip(session, actor, clip_id)
    name, root = clip.thumbnail_path if thumbnail else clip.path, get_settings().storage_dir.resolve()
    if thumbnail and name and (root / (own := span_strip_of(name, clip.span))).is_file():
        name = own
    path = (root / name).resolve()
    if not name or not path.is_relative_to(root) or not path.is_file():
        raise NotFound("This clip has no picture." if thumbnail else "The file of this clip no longer exists.")
    return path
