"""Makes H.264 copies of a dataset's clips, some in each turn, so that no import waits long for them."""

import time

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus
from orchestrator.domain.errors import NotFound, Unavailable
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_TRANSCODE
from orchestrator.services.datasets.media.previews import (
    clips_without_preview,
    make_preview,
    preview_path,
    previews_folder,
    refusal_marker,
)
from orchestrator.services.db import session_scope
from orchestrator.services.fair_turns import Share
from orchestrator.services.queue import enqueue, transcode_key
from orchestrator.settings import get_settings

TURN_S = 20.0
"""A turn ends with the copy during which this time has passed; the rest is queued behind everything that waits."""


def run_transcode(dataset_id: int, turn: int = 0) -> str:
    """One turn; how many copies it made. A clip that cannot be converted is marked, and not tried again."""
    until, made, share = time.monotonic() + TURN_S, 0, Share(0)
    while time.monotonic() < until:
        with session_scope() as session:
            dataset, clip = session.get(Dataset, dataset_id), _next_clip(session, dataset_id)
            if dataset is None or clip is None:
                return f"{made} copies, the last ones"
            share = Share(dataset.owner_id)
            source, copy = get_settings().storage_dir / clip.path, preview_path(clip)
        try:
            make_preview(source, copy)
            made += 1
        except Unavailable:
            break
        except (NotFound, OSError):
            copy.parent.mkdir(parents=True, exist_ok=True)
            refusal_marker(copy).touch()
    key = transcode_key(dataset_id, turn + 1)
    enqueue(TASK_TRANSCODE, key, PREP, share, dataset_id=dataset_id, turn=turn + 1)
    return f"{made} copies"


def _next_clip(session: Session, dataset_id: int) -> Clip | None:
    """A clip without a copy; None when all have one, or the dataset is deleted or being read again."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.status is not DatasetStatus.READY:
        return None
    folder = previews_folder(dataset_id)
    existing = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    usable = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK).order_by(col(Clip.id))
    return next(iter(clips_without_preview(session.exec(usable), existing)), None)
