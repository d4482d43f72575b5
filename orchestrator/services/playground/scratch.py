"""Clips that are dropped to be tried, not kept: a folder each below their owner's, checked, and gone after a while."""

import contextlib
import json
import os
import re
import secrets
import shutil
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from orchestrator.domain.errors import DiskFull, Invalid, NotFound, TooLarge, Unavailable
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.datasets.files import VIDEO_ENDINGS
from orchestrator.services.sandbox import Tool
from orchestrator.services.uploads.uploads import clean_name
from orchestrator.settings import get_settings

KEPT_S = 3600.0
"""Seconds after its last use until a dropped clip is removed."""
MOST = 12
"""Dropped clips of one person; the longest unused goes when one more comes."""
_SPARE_BYTES = 512 * 2**20
_ID = re.compile(r"[A-Za-z0-9_-]{20,40}")
_LOOKS = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class ScratchRow:
    """A dropped clip that was looked over."""

    id: str
    name: str
    path: Path
    size_bytes: int
    frames: int
    fps: float
    width: int
    height: int
    duration_s: float
    codec: str


def begin_scratch(actor: Actor, name: str, length: int | None) -> tuple[str, Path]:
    """(id, file) for a clip whose bytes come now; `length` where it is known.

    Raises:
        Invalid, TooLarge, DiskFull.
    """
    short = PurePosixPath(clean_name(name or "clip.mp4")).name
    if Path(short).suffix.lower() not in VIDEO_ENDINGS:
        raise Invalid(f"{short} is not a video by its name. Drop an MP4, WebM, MOV, MKV, AVI or GIF.", "name")
    limit = get_settings().playground_clip_bytes
    if length is not None and length > limit:
        raise TooLarge(f"{short} has {length / 1e6:,.0f} MB; a clip to try may have {limit / 1e6:,.0f} MB.")
    folder = _home(actor)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < (length or 0) + _SPARE_BYTES:
        raise DiskFull("There is no room on the disk for this clip. Free some space and try again.")
    _forget_oldest(folder)
    scratch_id = secrets.token_urlsafe(18)
    (folder / scratch_id).mkdir(mode=0o700)
    path = folder / scratch_id / f"clip{Path(short).suffix.lower()}"
    path.touch(mode=0o600)
    return scratch_id, path


def finish_scratch(actor: Actor, scratch_id: str, name: str) -> ScratchRow:
    """Looks the clip over, in a process with limits; a bad one is removed.

    Raises:
        Invalid: the sentence says why it cannot be shown to a model.
    """
    folder = _folder(actor, scratch_id)
    path = next((p for p in folder.glob("clip.*") if p.suffix != ".part"), None)
    short = PurePosixPath(clean_name(name or "clip.mp4")).name
    if path is None or not path.stat().st_size:
        discard_scratch(actor, scratch_id)
        raise Invalid(f"{short} is empty.", "name")
    facts = _look(path, short, folder / "strip.jpg")
    if facts.get("problem"):
        discard_scratch(actor, scratch_id)
        raise Invalid(str(facts["problem"]), "clip")
    return keep_facts(folder, path, short, facts)


def keep_facts(folder: Path, path: Path, name: str, facts: dict) -> ScratchRow:
    """Writes down what was found out about a clip."""
    told = {key: facts[key] for key in ("frames", "fps", "width", "height", "duration_s", "codec")}
    row = ScratchRow(folder.name, name, path, path.stat().st_size, **told)
    (folder / "facts.json").write_text(json.dumps(asdict(row) | {"path": path.name}))
    return row


def find_scratch(actor: Actor, scratch_id: str) -> ScratchRow:
    """A clip that the actor dropped. Using it keeps it for another while.

    Raises:
        NotFound: there is none, its time is over, or it is somebody else's.
    """
    folder = _folder(actor, scratch_id)
    try:
        raw = json.loads((folder / "facts.json").read_text())
        row = ScratchRow(**raw | {"path": folder / Path(raw["path"]).name})
        os.utime(folder)
    except (OSError, ValueError, KeyError, TypeError):
        raise _gone() from None
    if not row.path.is_file():
        raise _gone()
    return row


def scratch_file(actor: Actor, scratch_id: str, strip: bool = False) -> Path:
    """The clip's file, or its film strip."""
    row = find_scratch(actor, scratch_id)
    path = row.path.parent / "strip.jpg" if strip else row.path
    if not path.is_file():
        raise _gone()
    return path


def discard_scratch(actor: Actor, scratch_id: str) -> None:
    """Removes a dropped clip now."""
    shutil.rmtree(_folder(actor, scratch_id), ignore_errors=True)


def sweep_scratch(now: float | None = None) -> int:
    """Removes clips whose time is over; says how many."""
    gone = 0
    for folder in (get_settings().data_dir / "scratch").glob("*/*"):
        with contextlib.suppress(OSError):
            if (now or time.time()) - folder.stat().st_mtime > KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone


def _look(path: Path, name: str, strip: Path) -> dict:
    """What the sandboxed child finds out; the same one that looks over datasets."""
    if not _LOOKS.acquire(timeout=60.0):
        raise Unavailable("Other clips are being looked over. Try again in a moment.")
    request = json.dumps([str(path), name, str(strip)]).encode() + b"\n"
    try:
        return json.loads(sandbox.run(Tool.PROBE, request=request).output)
    except sandbox.TimeLimitReached:
        return {"problem": f"{name} takes too long to look through. Make it shorter."}
    except ValueError:
        return {"problem": f"{name} makes the decoder fail. Convert it to MP4 and drop it again."}
    finally:
        _LOOKS.release()


def _forget_oldest(home: Path) -> None:
    folders = sorted(home.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[MOST - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _home(actor: Actor) -> Path:
    return get_settings().data_dir / "scratch" / str(actor.user_id)


def _folder(actor: Actor, scratch_id: str) -> Path:
    if not _ID.fullmatch(scratch_id):
        raise _gone()
    return _home(actor) / scratch_id


def _gone() -> NotFound:
    return NotFound("This clip is not here any more: dropped clips are kept for an hour. Drop it again.", "clip")
