"""Temporary clips of the playground: uploaded, checked in a sandbox, deleted an hour after their last use.

A clip that came inside a question belongs to this question only: its caller deletes it after the answer, and no other
clip replaces it before.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from orchestrator.domain import formatting
from orchestrator.domain.errors import DiskFull, Invalid, NotFound, TooLarge, TooMany
from orchestrator.domain.json_keys import not_sent
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.datasets.files import may_be_video
from orchestrator.services.fair_queue import FairQueue
from orchestrator.services.playground.open_questions import MAX_OPEN
from orchestrator.services.sandbox import Tool
from orchestrator.services.uploads.uploads import clean_name
from orchestrator.settings import get_settings

LIFETIME_S = 3600.0
"""Seconds after its last use until a clip is deleted."""
MAX_CLIPS = 12
"""Temporary clips of one user; a further one replaces the least recently used."""
MAX_ASKED_CLIPS = 24
"""Clips inside questions of one user at a time; more than may be open at once, for the next ones are sent meanwhile."""
MAX_FRAMES = 512
"""Pictures that make one clip."""
_ASKED = "asked"
"""A marker file next to a clip that came inside a question."""
_ASKED_S = 900.0
"""Seconds after which such a clip counts as left behind by a web process that ended."""
_RESERVED_BYTES = 512 * 2**20
_ID = re.compile(r"[A-Za-z0-9_-]{20,40}")
PROBES = FairQueue("Other clips are being checked", at_once=2, per_person=MAX_OPEN)


@dataclass(frozen=True, slots=True)
class ScratchRow:
    """A temporary clip that was checked."""

    id: str
    name: str
    path: Path = field(metadata=not_sent())
    size_bytes: int
    frames: int
    fps: float
    width: int
    height: int
    duration_s: float
    codec: str


def create_scratch(actor: Actor, name: str, length: int | None, asked: bool = False) -> tuple[str, Path]:
    """Creates the empty file of a clip that is uploaded now.

    Args:
        length: bytes of the clip; None where the client does not say.
        asked: it comes inside a question. Delete it with `discard_scratch` after the answer.

    Returns:
        (id, file).

    Raises:
        Invalid: it is no video by its name. TooLarge. DiskFull. TooMany: of clips inside questions.
    """
    short = PurePosixPath(clean_name(name or "clip.mp4")).name
    if not may_be_video(short):
        raise Invalid(f"{short} is not a video by its name. Drop an MP4, WebM, MOV, MKV, AVI or GIF.", "name")
    limit = get_settings().playground_clip_bytes
    if length is not None and length > limit:
        raise TooLarge(f"{short} has {formatting.size(length)}; a clip to try may have {formatting.size(limit)}.")
    folder = _home(actor)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < (length or 0) + _RESERVED_BYTES:
        raise DiskFull("There is not enough space on the disk for this clip. Free some space and try again.")
    _free_slot(folder, asked)
    scratch_id = secrets.token_urlsafe(18)
    (folder / scratch_id).mkdir(mode=0o700)
    if asked:
        (folder / scratch_id / _ASKED).touch(mode=0o600)
    path = folder / scratch_id / f"clip{Path(short).suffix.lower()}"
    path.touch(mode=0o600)
    return scratch_id, path


def write_frames(path: Path, pictures: Sequence[bytes], fps: float) -> None:
    """Fills the file of a clip, whose name must end in .mkv, with pictures as its frames.

    Raises:
        Invalid: they cannot be one clip.
    """
    if not 1 <= len(pictures) <= MAX_FRAMES:
        raise Invalid(f"A clip of pictures may have 1 to {MAX_FRAMES} of them; these are {len(pictures)}.", "clip")
    paths = [path.parent / f"picture-{number}" for number in range(len(pictures))]
    limit = get_settings().playground_clip_bytes
    request = {"pictures": [str(each) for each in paths], "target": str(path), "fps": fps, "bytes": limit}
    try:
        for each, picture in zip(paths, pictures, strict=True):
            each.write_bytes(picture)
        output = sandbox.run(Tool.JOIN_FRAMES, request=json.dumps(request).encode() + b"\n").output
        problem = json.loads(output)["problem"]
    except (ValueError, sandbox.TimeLimitReached):
        problem = "These pictures take too much to be read. Send fewer or smaller ones."
    finally:
        for each in paths:
            each.unlink(missing_ok=True)
    if problem:
        raise Invalid(str(problem), "clip")


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


def _free_slot(home: Path, asked: bool) -> None:
    """Deletes the least recently used clips; one inside a question stays until its question is over.

    Raises:
        TooMany: too many questions have a clip inside them.
    """
    folders = sorted(home.iterdir(), key=_last_use, reverse=True)
    now = time.time()
    in_questions = [folder for folder in folders if (folder / _ASKED).is_file() and now - _last_use(folder) < _ASKED_S]
    if asked and len(in_questions) >= MAX_ASKED_CLIPS:
        raise TooMany("Too many of your questions have a clip inside them. Wait for an answer, then ask the next.", 5)
    if not asked:
        for folder in [folder for folder in folders if folder not in in_questions][MAX_CLIPS - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)


def _last_use(folder: Path) -> float:
    with contextlib.suppress(OSError):  # deleted in this moment
        return folder.stat().st_mtime
    return 0.0


def _home(actor: Actor) -> Path:
    return get_settings().data_dir / "scratch" / str(actor.user_id)


def _folder(actor: Actor, scratch_id: str) -> Path:
    if not _ID.fullmatch(scratch_id):
        raise _not_found()
    return _home(actor) / scratch_id


def _not_found() -> NotFound:
    return NotFound(
        f"This clip is not stored any more: your newest {MAX_CLIPS} temporary clips are kept, for an hour after their "
        "last use. Drop it again.",
        "clip",
    )
