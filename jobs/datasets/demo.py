"""Draws the demo dataset's clips at the first start and fills the demo datasets that wait for them."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from jobs.video.inspect import inspect_clip
from jobs.video.synthetic import make_demo_dataset
from orchestrator.services.datasets.demo import demo_folder, fill_pending_demos, is_demo_generated, report_demo_progress
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

log = structlog.get_logger()
CLIPS_PER_CLASS = 60
_REPORT_S = 1.0


def run_demo() -> str:
    """Draws into a folder beside the real one and renames it, so that a kill in the middle leaves nothing half-made."""
    if not is_demo_generated():
        target = demo_folder()
        part = target.with_name("demo.part")
        shutil.rmtree(part, ignore_errors=True)
        paths = make_demo_dataset(part, CLIPS_PER_CLASS, progress=_Progress())
        root = get_settings().storage_dir
        facts = [_facts(path, part, target.relative_to(root)) | {"caption": said} for path, said in paths.items()]
        (part / "manifest.json").write_text(json.dumps(facts))
        shutil.rmtree(target, ignore_errors=True)
        os.replace(part, target)
    with session_scope() as session:
        return f"filled {fill_pending_demos(session)}"


class _Progress:
    """Reports at most once a second; a busy database misses a report, nothing else."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _REPORT_S
        try:
            with session_scope() as session:
                report_demo_progress(session, done, total)
        except OperationalError as error:
            log.info("demo.not_reported", error=str(error.orig))


def _facts(path: Path, part: Path, prefix: Path) -> dict[str, Any]:
    """A Clip's fields, paths relative to the storage root."""
    inside = path.relative_to(part)
    strip = Path("thumbs") / f"{path.stem}.jpg"
    found = inspect_clip(path, path.name, part / strip)
    return {
        "name": inside.as_posix(),
        "path": (prefix / inside).as_posix(),
        "thumbnail_path": (prefix / strip).as_posix(),
        "content_hash": hashlib.sha256(path.read_bytes()).hexdigest(),
        "label": inside.parent.name,
        "size_bytes": path.stat().st_size,
        "frames": found.frames,
        "fps": found.fps,
        "width": found.width,
        "height": found.height,
        "duration_s": found.duration_s,
        "codec": found.codec,
        "perceptual_hash": found.perceptual_hash,
    }
