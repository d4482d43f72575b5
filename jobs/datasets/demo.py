"""Draws the demo dataset's clips at the first start and fills the demo datasets that wait for them."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import structlog

from jobs.video.inspect import inspect_clip
from jobs.video.synthetic import make_demo_dataset
from orchestrator.services.datasets.demo import demo_folder, fill_pending_demos, is_demo_generated, report_demo_progress
from orchestrator.services.db import DATABASE_AWAY, session_scope, when_available, why_away
from orchestrator.settings import get_settings

log = structlog.get_logger()
CLIPS_PER_CLASS = 60
_REPORT_S = 1.0


def run_demo() -> str:
    """Draws the clips, unless they exist, and fills the demo datasets; how many, for the worker's log.

    It draws into a temporary folder and renames it, so that a killed process leaves nothing incomplete.
    """
    if not is_demo_generated():
        target = demo_folder()
        partial = target.with_name("demo.part")
        shutil.rmtree(partial, ignore_errors=True)
        paths = make_demo_dataset(partial, CLIPS_PER_CLASS, progress=_Progress())
        root = get_settings().storage_dir
        clips = [
            _clip_fields(path, partial, target.relative_to(root)) | {"caption": caption}
            for path, caption in paths.items()
        ]
        (partial / "manifest.json").write_text(json.dumps(clips))
        shutil.rmtree(target, ignore_errors=True)
        os.replace(partial, target)
    return f"filled {when_available(_fill)}"


def _fill() -> int:
    with session_scope() as session:
        return fill_pending_demos(session)


class _Progress:
    """Reports at most once a second; a report that a busy database refuses is skipped."""

    def __init__(self) -> None:
        self._next_report_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() < self._next_report_at:
            return
        self._next_report_at = time.monotonic() + _REPORT_S
        try:
            with session_scope() as session:
                report_demo_progress(session, done, total)
        except DATABASE_AWAY as error:
            log.info("demo.not_reported", error=why_away(error))


def _clip_fields(path: Path, folder: Path, prefix: Path) -> dict[str, Any]:
    """The fields of a `Clip`.

    Args:
        path: below `folder`, which will be renamed to `prefix`, relative to the storage root.
    """
    inside = path.relative_to(folder)
    strip = Path("thumbs") / f"{path.stem}.jpg"
    facts = inspect_clip(path, path.name, folder / strip)
    return {
        "name": inside.as_posix(),
        "path": (prefix / inside).as_posix(),
        "thumbnail_path": (prefix / strip).as_posix(),
        "content_hash": hashlib.sha256(path.read_bytes()).hexdigest(),
        "label": inside.parent.name,
        "size_bytes": path.stat().st_size,
        "frames": facts.frames,
        "fps": facts.fps,
        "width": facts.width,
        "height": facts.height,
        "duration_s": facts.duration_s,
        "codec": facts.codec,
        "perceptual_hash": facts.perceptual_hash,
    }
