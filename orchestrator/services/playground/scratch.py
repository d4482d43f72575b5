"""Temporary clips of the playground: uploaded, checked in a sandbox, deleted an hour after their last use."""

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from orchestrator.domain.errors import DiskFull, Invalid, NotFound, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.datasets.files import VIDEO_ENDINGS
from orchestrator.services.fair_queue import FairQueue
from orchestrator.services.sandbox import Tool
from orchestrator.services.uploads.uploads import clean_name
from orchestrator.settings import get_settings

LIFETIME_S = 3600.0
"""Seconds after its last use until a clip is deleted."""
MAX_CLIPS = 12
"""Temporary clips of one user; a further one replaces the least recently used."""
_RESERVED_BYTES = 512 * 2**20
_ID = re.compile(r"[A-Za-z0-9_-]{20,40}")
PROBES = FairQueue("Other clips are being checked", at_once=2, per_person=6)


@dataclass(frozen=True, slots=True)
class ScratchRow:
    """A temporary clip that was checked."""

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


def create_scratch(actor: Actor, name: str, length: int | None) -> tuple[str, Path]:
    """Creates the empty file of a clip that is uploaded now.

    Args:
        length: bytes of the clip; None where the client does not say.

    Returns:
        (id, file).

    Raises:
        Invalid: it is no video by its name. TooLarge. DiskFull.
    """
    short = PurePosixPath(clean_name(name or "clip.mp4")).name
    if Path(short).suffix.lower() not in VIDEO_ENDINGS:
        raise Invalid(f"{short} is not a video by its name. Drop an MP4, WebM, MOV, MKV, AVI or GIF.", "name")
    limit = get_settings().playground_clip_bytes
    if length is not None and length > limit:
        raise TooLarge(f"{short} has {length / 1e6:,.0f} MB; a clip to try may have {limit / 1e6:,.0f} MB.")
    folder = _home(actor)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < (length or 0) + _RESERVED_BYTES:
        raise DiskFull("There is not enough space on the disk for this clip. Free some space and try again.")
    _delete_oldest(folder)
    scratch_id = secrets.token_urlsafe(18)
    (folder / scratch_id).mkdir(mode=0o700)
    path = folder / scratch_id / f"clip{Path(short).suffix.lower()}"
    path.touch(mode=0o600)
    return scratch_id, path


def finish_scratch(actor: Actor, scratch_id: str, name: str) -> ScratchRow:
    """Probes the uploaded clip in a sandbox; one that cannot be used is deleted. In the web, call it in `PROBES`.

    Raises:
        Invalid: it cannot be shown to a model.
    """
    folder = _folder(actor, scratch_id)
    path = next((p for p in folder.glob("clip.*") if p.suffix != ".part"), None)
    short = PurePosixPath(clean_name(name or "clip.mp4")).name
    if path is None or not path.stat().st_size:
        discard_scratch(actor, scratch_id)
        raise Invalid(f"{short} is empty.", "name")
    facts = _probe(path, short, folder / "strip.jpg")
    if facts.get("problem"):
        discard_scratch(actor, scratch_id)
        raise Invalid(str(facts["problem"]), "clip")
    return save_facts(folder, path, short, facts)


def save_facts(folder: Path, path: Path, name: str, facts: dict) -> ScratchRow:
    """Saves the facts of a clip next to its file."""
    values = {key: facts[key] for key in ("frames", "fps", "width", "height", "duration_s", "codec")}
    row = ScratchRow(folder.name, name, path, path.stat().st_size, **values)
    (folder / "facts.json").write_text(json.dumps(asdict(row) | {"path": path.name}))
    return row


def find_scratch(actor: Actor, scratch_id: str) -> ScratchRow:
    """A temporary clip of the actor's; this counts as a use.

    Raises:
        NotFound: it does not exist, has expired, or belongs to another user.
    """
    folder = _folder(actor, scratch_id)
    try:
        raw = json.loads((folder / "facts.json").read_text())
        row = ScratchRow(**raw | {"path": folder / Path(raw["path"]).name})
        os.utime(folder)
    except (OSError, ValueError, KeyError, TypeError):
        raise _not_found() from None
    if not row.path.is_file():
        raise _not_found()
    return row


def scratch_file(actor: Actor, scratch_id: str, strip: bool = False) -> Path:
    """The file of the clip, or its film strip.

    Raises:
        NotFound: see `find_scratch`.
    """
    row = find_scratch(actor, scratch_id)
    path = row.path.parent / "strip.jpg" if strip else row.path
    if not path.is_file():
        raise _not_found()
    return path


def discard_scratch(actor: Actor, scratch_id: str) -> None:
    """Deletes a temporary clip."""
    shutil.rmtree(_folder(actor, scratch_id), ignore_errors=True)


def delete_expired_scratch(now: float | None = None) -> int:
    """Deletes all clips that have expired.

    Returns:
        How many.
    """
    deleted = 0
    for folder in (get_settings().data_dir / "scratch").glob("*/*"):
        with contextlib.suppress(OSError):
            if (now or time.time()) - folder.stat().st_mtime > LIFETIME_S:
                shutil.rmtree(folder, ignore_errors=True)
                deleted += 1
    return deleted


def _probe(path: Path, name: str, strip: Path) -> dict:
    """The facts of the clip, from the same sandboxed program that probes datasets; or its `problem`."""
    request = json.dumps([str(path), name, str(strip)]).encode() + b"\n"
    try:
        return json.loads(sandbox.run(Tool.PROBE, request=request).output)
    except sandbox.TimeLimitReached:
        return {"problem": f"{name} takes too long to check. Make it shorter."}
    except ValueError:
        return {"problem": f"{name} makes the decoder fail. Convert it to MP4 and drop it again."}


def _delete_oldest(home: Path) -> None:
    folders = sorted(home.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[MAX_CLIPS - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _home(actor: Actor) -> Path:
    return get_settings().data_dir / "scratch" / str(actor.user_id)


def _folder(actor: Actor, scratch_id: str) -> Path:
    if not _ID.fullmatch(scratch_id):
        raise _not_found()
    return _home(actor) / scratch_id


def _not_found() -> NotFound:
    return NotFound("This clip is not stored any more: temporary clips are kept for an hour. Drop it again.", "clip")
