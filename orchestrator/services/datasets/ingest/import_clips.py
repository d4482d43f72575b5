"""Looks at each file of an upload: good ones move to their place in the storage, the others get their sentence."""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.domain.datasets import ClipProblem, ClipStatus, Dataset, Split
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest.layouts.entry import Entry, Understood
from orchestrator.services.datasets.ingest.layouts.tree import is_video
from orchestrator.services.datasets.ingest.ordered_map import in_turn
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

_REPORT_S = 0.5
_SMALL_BYTES = 2**20
_TOGETHER, _TOGETHER_BYTES = 8, 2**18
"""Small clips are looked at by the handful: asking for one takes a third of the time that it takes to decode it."""
Asked = tuple[str, str, str]
"""(file, name to say, where its film strip goes)."""
Look = Callable[[Sequence[Asked]], list[ClipFacts]]
"""The facts of each, in their order. Passed in, so that services need no video library."""


@dataclass(slots=True)
class NewClip:
    """A clip's record before it is written: the columns of `Clip`, a hundred times cheaper to make than a row."""

    dataset_id: int
    name: str
    label: str
    caption: str
    prompt: str
    split: Split
    path: str = ""
    thumbnail_path: str = ""
    content_hash: str = ""
    status: ClipStatus = ClipStatus.OK
    problem: str = ""
    problem_kind: ClipProblem | None = None
    size_bytes: int = 0
    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    codec: str = ""
    perceptual_hash: str = ""
    since: int = 1


def columns(clip: NewClip) -> dict[str, object]:
    """For an insert of many at once."""
    return {name: getattr(clip, name) for name in NewClip.__slots__}


@dataclass(frozen=True, slots=True)
class Where:
    """Where files come from and go to, as text: a path object costs more than the system call it is for."""

    dataset_id: int
    staging: str
    clips: str
    thumbs: str
    root: str
    elsewhere: Mapping[str, str]
    """The file of a content in another dataset of the same owner, by its hash."""


def look_at_all(
    dataset_id: int,
    task: Task,
    staging: Path,
    understood: Understood,
    known: set[str],
    look: Look,
    go_on: Callable[[], bool],
    at_once: int,
    elsewhere: Mapping[str, str] | None = None,
) -> list[NewClip] | None:
    """The records of all files in their order; None when `go_on` said no.

    Args:
        known: contents that are here already; of a file with one of these only the hash and the words are read.
    """
    placed, folder = understood.entries, dataset_folder(dataset_id)
    places = (str(staging), f"{folder}/clips", f"{folder}/thumbs")
    where = Where(dataset_id, *places, f"{get_settings().storage_dir}/", elsewhere or {})
    for place in (where.clips, where.thumbs):
        os.makedirs(place, exist_ok=True)
    made: list[NewClip] = []
    seen: dict[str, str] = {}
    next_report, done = 0.0, 0

    def see(items: list[Entry]) -> list[NewClip]:
        return _look_at(where, [(item, lack_of(task, item, understood)) for item in items], look, known)

    for clips in in_turn(see, _handfuls(where.staging, placed), at_once, go_on):
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_S
            _report(dataset_id, done, len(placed))
        if clips is None:
            return None
        done += len(clips)
        for clip in clips:
            if clip.status is ClipStatus.OK and clip.content_hash in seen:
                _bad(clip, ClipProblem.DUPLICATE, f"Is the same video as {seen[clip.content_hash]}.")
            elif clip.status is ClipStatus.OK:
                seen[clip.content_hash] = clip.name
        made += clips
    for clip in made:
        if clip.status is ClipStatus.QUARANTINED and clip.content_hash in seen:
            _bad(clip, ClipProblem.DUPLICATE, f"Is the same video as {seen[clip.content_hash]}.")
    _report(dataset_id, len(placed), len(placed))
    return made


def _handfuls(staging: str, entries: Sequence[Entry]) -> list[list[Entry]]:
    """Neighbours whose files are small, together; a larger file alone."""
    found: list[list[Entry]] = []
    room = 0
    for entry in entries:
        try:
            size = os.stat(f"{staging}/{entry.name}").st_size
        except OSError:
            size = 0
        if room < size or len(found[-1]) == _TOGETHER:
            found.append([])
            room = _TOGETHER_BYTES
        found[-1].append(entry)
        room -= size
    return found


def lack_of(task: Task, item: Entry, understood: Understood) -> str:
    """The sentence for a clip that says nothing to learn, else ""."""
    annotation = TASKS[task].annotation
    if item.problem or getattr(item, annotation):
        return item.problem
    short = PurePosixPath(item.name).name
    if understood.files and understood.key != "sidecars":
        return f"{short} has no {annotation.spec.word} in {PurePosixPath(understood.files[0]).name}."
    return annotation.spec.missing.format(name=short)


def _look_at(where: Where, items: Sequence[tuple[Entry, str]], look: Look, known: set[str]) -> list[NewClip]:
    """The records of some files, each with what it lacks; videos that are new and whole move to the storage.

    One that nothing is said about is left out until somebody says it: QUARANTINED, with the reason in `problem`.
    """
    clips = [_described(where, item, lack) for item, lack in items]
    asked: list[tuple[NewClip, Asked]] = []
    for (item, _), clip in zip(items, clips, strict=True):
        if clip.status is not ClipStatus.BAD and clip.content_hash not in known:
            strip = f"{where.thumbs}/{clip.content_hash[:24]}.jpg"
            asked.append((clip, (f"{where.staging}/{item.name}", item.name.rpartition("/")[2], strip)))
    for (clip, (source, short, strip)), facts in zip(
        asked, look([ask for _, ask in asked]) if asked else [], strict=True
    ):
        if facts.problem:
            _bad(clip, ClipProblem.DAMAGED, facts.problem)
            continue
        target = f"{where.clips}/{clip.content_hash[:24]}{os.path.splitext(short)[1].lower()}"
        _keep(source, target, where.elsewhere.get(clip.content_hash, ""))
        clip.path, clip.thumbnail_path = target.removeprefix(where.root), strip.removeprefix(where.root)
        clip.frames, clip.fps, clip.duration_s = facts.frames, facts.fps, facts.duration_s
        clip.width, clip.height, clip.codec = facts.width, facts.height, facts.codec[:32]
        clip.perceptual_hash = facts.perceptual_hash
    return clips


def _described(where: Where, item: Entry, lack: str) -> NewClip:
    """What is said of a file, its hash and its size, before anybody opens it."""
    source = f"{where.staging}/{item.name}"
    clip = NewClip(where.dataset_id, item.name[-255:], item.label, item.caption, item.prompt, item.split)
    if not os.path.isfile(source):
        missing = item.problem or f"{item.name.rpartition('/')[2]} was not uploaded."
        return _bad(clip, ClipProblem.NOT_UPLOADED, missing)
    if is_video(item.name):
        clip.content_hash, clip.size_bytes = _hash(source)
    else:
        clip.size_bytes = os.path.getsize(source)
    if lack and clip.content_hash:
        clip.status, clip.problem, clip.problem_kind = ClipStatus.QUARANTINED, lack[:500], ClipProblem.NOT_ANNOTATED
        return clip
    return _bad(clip, ClipProblem.NOT_A_VIDEO, lack) if lack else clip


def _keep(source: str, target: str, same: str) -> None:
    """Moves the file to its place; of bytes that the owner has already there is one copy on the disk.

    The file system counts who refers to them: they are freed with the last dataset that holds them.
    """
    os.replace(source, target)
    if not same or same == target:
        return
    shared = f"{target}.same"
    with contextlib.suppress(OSError):  # gone meanwhile, or no such links here: a copy of one's own, then
        os.link(same, shared)
        os.replace(shared, target)


def _report(dataset_id: int, done: int, total: int) -> None:
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None:
            dataset.progress_done, dataset.progress_total = done, total
            session.add(dataset)


def _bad(clip: NewClip, kind: ClipProblem, problem: str) -> NewClip:
    clip.status, clip.problem, clip.problem_kind = ClipStatus.BAD, problem[:500], kind
    return clip


def _hash(path: str) -> tuple[str, int]:
    """SHA-256 of the content, and its size."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _SMALL_BYTES:
            return hashlib.sha256(file.read()).hexdigest(), size
        return hashlib.file_digest(file, "sha256").hexdigest(), size
