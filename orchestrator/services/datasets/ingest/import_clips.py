"""Probes the files of an upload: usable videos move to the storage, all others get the reason why they are left out."""

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
from orchestrator.services.datasets.files import dataset_folder, is_video
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.unused_files import general_reason
from orchestrator.services.datasets.ingest.ordered_map import ordered_map
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

_REPORT_S = 0.5
_TWICE = "It is the same video as another clip."
_SMALL_BYTES = 2**20
_BATCH, _BATCH_BYTES = 8, 2**18
"""Small clips are probed in batches, because a request to the probe takes a third of the time of decoding one."""
ProbeRequest = tuple[str, str, str]
"""(file, name for sentences, path of the film strip to write)."""
Probe = Callable[[Sequence[ProbeRequest]], list[ClipFacts]]
"""Returns the facts of each file, in their order. Passed in, so that services need no video library."""


@dataclass(slots=True)
class NewClip:
    """The columns of a `Clip` before it is written; a hundred times cheaper to create than a mapped object."""

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
    """The values by column, for a bulk insert."""
    return {name: getattr(clip, name) for name in NewClip.__slots__}


@dataclass(frozen=True, slots=True)
class ImportPaths:
    """Source and target folders, as text: creating a path object costs more than the system call that uses it."""

    dataset_id: int
    staging: str
    clips: str
    thumbs: str
    root: str
    stored: Mapping[str, str]
    """Files of the owner's other datasets, by content hash."""


def import_clips(
    dataset_id: int,
    task: Task,
    staging: Path,
    layout: DetectedLayout,
    known: set[str],
    probe: Probe,
    should_continue: Callable[[], bool],
    concurrency: int,
    stored: Mapping[str, str] | None = None,
) -> list[NewClip] | None:
    """Probes all files of a layout and moves usable videos to the storage.

    Args:
        staging: the folder with the unpacked files.
        known: hashes of contents that the dataset has already; such files are hashed, but not probed.
        should_continue: asked before each batch.
        concurrency: how many batches are probed at the same time.
        stored: files of the owner's other datasets by content hash; equal contents share one file on disk.

    Returns:
        The records in the order of the layout; None when `should_continue` returned False.
    """
    entries, folder = layout.entries, dataset_folder(dataset_id)
    folders = (str(staging), f"{folder}/clips", f"{folder}/thumbs")
    paths = ImportPaths(dataset_id, *folders, f"{get_settings().storage_dir}/", stored or {})
    for path in (paths.clips, paths.thumbs):
        os.makedirs(path, exist_ok=True)
    imported: list[NewClip] = []
    name_of: dict[str, str] = {}
    next_report, done = 0.0, 0

    def import_batch(batch: list[Entry]) -> list[NewClip]:
        return _import_batch(paths, [(entry, annotation_problem(task, entry, layout)) for entry in batch], probe, known)

    for clips in ordered_map(import_batch, _batches(paths.staging, entries), concurrency, should_continue):
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_S
            _report_progress(dataset_id, done, len(entries))
        if clips is None:
            return None
        done += len(clips)
        for clip in clips:
            if clip.status is ClipStatus.OK and clip.content_hash in name_of:
                _reject(clip, ClipProblem.DUPLICATE, f"Is the same video as {name_of[clip.content_hash]}.")
            elif clip.status is ClipStatus.OK:
                name_of[clip.content_hash] = clip.name
        imported += clips
    for clip in imported:
        if clip.status is ClipStatus.QUARANTINED and clip.content_hash in name_of:
            _reject(clip, ClipProblem.DUPLICATE, f"Is the same video as {name_of[clip.content_hash]}.")
    _report_progress(dataset_id, len(entries), len(entries))
    return imported


def unusable_clips(clips: Sequence[NewClip]) -> list[NotUsed]:
    """The files that were found damaged or twice when they were opened."""
    collected = NotUsedList()
    for clip in clips:
        if clip.status is ClipStatus.BAD and clip.problem_kind in (ClipProblem.DAMAGED, ClipProblem.DUPLICATE):
            twice = clip.problem_kind is ClipProblem.DUPLICATE
            reason = _TWICE if twice else general_reason(clip.name, clip.problem)
            collected.add(NotUsedKind.FILE, clip.name, reason, stored=False)
    return collected.groups()


def _batches(staging: str, entries: Sequence[Entry]) -> list[list[Entry]]:
    """Consecutive small files together, larger files alone."""
    batches: list[list[Entry]] = []
    remaining = 0
    for entry in entries:
        try:
            size = os.stat(f"{staging}/{entry.name}").st_size
        except OSError:
            size = 0
        if remaining < size or len(batches[-1]) == _BATCH:
            batches.append([])
            remaining = _BATCH_BYTES
        batches[-1].append(entry)
        remaining -= size
    return batches


def annotation_problem(task: Task, entry: Entry, layout: DetectedLayout) -> str:
    """Why a file cannot be trained on before it is probed, such as a missing label; "" where there is no reason."""
    annotation = TASKS[task].annotation
    if entry.problem or getattr(entry, annotation):
        return entry.problem
    short = PurePosixPath(entry.name).name
    if layout.files and layout.key != "sidecars":
        return f"{short} has no {annotation.spec.word} in {PurePosixPath(layout.files[0]).name}."
    return annotation.spec.missing.format(name=short)


def _import_batch(
    paths: ImportPaths, entries: Sequence[tuple[Entry, str]], probe: Probe, known: set[str]
) -> list[NewClip]:
    """Imports some files, each with its annotation problem.

    A usable video without annotation is moved to the storage too: QUARANTINED, until a label or caption is written.
    """
    clips = [_unprobed(paths, entry, problem) for entry, problem in entries]
    requests: list[tuple[NewClip, ProbeRequest]] = []
    for (entry, _), clip in zip(entries, clips, strict=True):
        if clip.status is not ClipStatus.BAD and clip.content_hash not in known:
            strip = f"{paths.thumbs}/{clip.content_hash[:24]}.jpg"
            requests.append((clip, (f"{paths.staging}/{entry.name}", entry.name.rpartition("/")[2], strip)))
    all_facts = probe([request for _, request in requests]) if requests else []
    for (clip, (source, short, strip)), facts in zip(requests, all_facts, strict=True):
        if facts.problem:
            _reject(clip, ClipProblem.DAMAGED, facts.problem)
            continue
        target = f"{paths.clips}/{clip.content_hash[:24]}{os.path.splitext(short)[1].lower()}"
        _store(source, target, paths.stored.get(clip.content_hash, ""))
        clip.path, clip.thumbnail_path = target.removeprefix(paths.root), strip.removeprefix(paths.root)
        clip.frames, clip.fps, clip.duration_s = facts.frames, facts.fps, facts.duration_s
        clip.width, clip.height, clip.codec = facts.width, facts.height, facts.codec[:32]
        clip.perceptual_hash = facts.perceptual_hash
    return clips


def _unprobed(paths: ImportPaths, entry: Entry, problem: str) -> NewClip:
    """The record of a file with its annotation, hash and size, before it is probed."""
    source = f"{paths.staging}/{entry.name}"
    clip = NewClip(paths.dataset_id, entry.name[-255:], entry.label, entry.caption, entry.prompt, entry.split)
    if not os.path.isfile(source):
        missing = entry.problem or f"{entry.name.rpartition('/')[2]} was not uploaded."
        return _reject(clip, ClipProblem.NOT_UPLOADED, missing)
    if is_video(entry.name):
        clip.content_hash, clip.size_bytes = _hash(source)
    else:
        clip.size_bytes = os.path.getsize(source)
    if problem and clip.content_hash:
        clip.status, clip.problem, clip.problem_kind = ClipStatus.QUARANTINED, problem[:500], ClipProblem.NOT_ANNOTATED
        return clip
    return _reject(clip, ClipProblem.NOT_A_VIDEO, problem) if problem else clip


def _store(source: str, target: str, same: str) -> None:
    """Moves the file to the storage; where the owner has the same content already, both share it by a hard link.

    The file system counts the links, so that the content is deleted with the last dataset that has it.
    """
    os.replace(source, target)
    if not same or same == target:
        return
    shared = f"{target}.same"
    with contextlib.suppress(OSError):  # deleted meanwhile, or a file system without hard links: both keep a copy
        os.link(same, shared)
        os.replace(shared, target)


def _report_progress(dataset_id: int, done: int, total: int) -> None:
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None:
            dataset.progress_done, dataset.progress_total = done, total
            session.add(dataset)


def _reject(clip: NewClip, kind: ClipProblem, problem: str) -> NewClip:
    clip.status, clip.problem, clip.problem_kind = ClipStatus.BAD, problem[:500], kind
    return clip


def _hash(path: str) -> tuple[str, int]:
    """SHA-256 of the content, and its size in bytes."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _SMALL_BYTES:
            return hashlib.sha256(file.read()).hexdigest(), size
        return hashlib.file_digest(file, "sha256").hexdigest(), size
