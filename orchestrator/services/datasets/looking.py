"""Looks at each file of an upload: good ones move to their place in the storage, the others get their sentence."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, Task
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.in_turn import in_turn
from orchestrator.services.datasets.layouts.entry import Entry, Understood
from orchestrator.services.datasets.layouts.tree import is_video
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

_REPORT_S = 0.5
Look = Callable[[Path, str, Path], ClipFacts]
"""(file, name to say, where its film strip goes) -> facts. Passed in, so that services need no video library."""


def look_at_all(
    dataset_id: int,
    task: Task,
    staging: Path,
    understood: Understood,
    known: set[str],
    look: Look,
    go_on: Callable[[], bool],
    at_once: int,
) -> list[Clip] | None:
    """The records of all files in their order; None when `go_on` said no."""
    placed = understood.entries
    made: list[Clip] = []
    seen: dict[str, str] = {}
    next_report = 0.0

    def see(item: Entry) -> Clip:
        return _look_at(dataset_id, lack_of(task, item, understood), staging, item, look, known)

    for number, clip in enumerate(in_turn(see, placed, at_once, go_on)):
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_S
            _report(dataset_id, number, len(placed))
        if clip is None:
            return None
        if clip.status is ClipStatus.OK and clip.content_hash in seen:
            clip.status, clip.problem = ClipStatus.BAD, f"Is the same video as {seen[clip.content_hash]}."[:500]
        elif clip.status is ClipStatus.OK:
            seen[clip.content_hash] = clip.name
        if not clip.content_hash or clip.content_hash not in known:
            made.append(clip)
    _report(dataset_id, len(placed), len(placed))
    return made


def lack_of(task: Task, item: Entry, understood: Understood) -> str:
    """The sentence for a clip that says nothing to learn, else ""."""
    short = PurePosixPath(item.name).name
    if item.problem or (item.label if task is Task.CLASSIFICATION else item.caption):
        return item.problem
    what = "label" if task is Task.CLASSIFICATION else "caption"
    if understood.files and understood.key != "sidecars":
        return f"{short} has no {what} in {PurePosixPath(understood.files[0]).name}."
    if task is Task.CLASSIFICATION:
        return f"{short} lies in no folder. Put the clips of each class into a folder of its own."
    return f"{short} has no caption. Put a text file of the same name beside it."


def _look_at(dataset_id: int, lack: str, staging: Path, item: Entry, look: Look, known: set[str]) -> Clip:
    """The record of one file; a good one that is new is moved to its place in the storage."""
    source = staging / item.name
    clip = Clip(dataset_id=dataset_id, name=item.name[-255:], path="", label=item.label, split=item.split)
    clip.caption, clip.prompt = item.caption, item.prompt
    if not source.is_file():
        return _bad(clip, item.problem or f"{source.name} was not uploaded.")
    clip.size_bytes = source.stat().st_size
    if is_video(item.name):
        clip.content_hash = _hash(source)
    if lack:
        return _bad(clip, lack)
    if clip.content_hash in known:
        return clip
    folder = dataset_folder(dataset_id)
    stem = clip.content_hash[:24]
    strip = folder / "thumbs" / f"{stem}.jpg"
    facts = look(source, source.name, strip)
    if facts.problem:
        return _bad(clip, facts.problem)
    target = folder / "clips" / f"{stem}{source.suffix.lower()}"
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    root = get_settings().storage_dir
    clip.path, clip.thumbnail_path = str(target.relative_to(root)), str(strip.relative_to(root))
    clip.frames, clip.fps, clip.duration_s = facts.frames, facts.fps, facts.duration_s
    clip.width, clip.height, clip.codec = facts.width, facts.height, facts.codec[:32]
    clip.perceptual_hash = facts.perceptual_hash
    return clip


def _report(dataset_id: int, done: int, total: int) -> None:
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None:
            dataset.progress_done, dataset.progress_total = done, total
            session.add(dataset)


def _bad(clip: Clip, problem: str) -> Clip:
    clip.status, clip.problem = ClipStatus.BAD, problem[:500]
    return clip


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
