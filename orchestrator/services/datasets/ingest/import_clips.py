"""Probes the files of an upload: usable videos move to the storage, all others get the reason why they are left out."""

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from orchestrator.domain.annotations import AnnotatedClip, Annotations, Span, short_form
from orchestrator.domain.clip_facts import ClipFacts, SpanFacts
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, Split
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.services.datasets.files import dataset_folder, is_film
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.unused_files import general_reason
from orchestrator.services.datasets.ingest.ordered_map import ordered_map
from orchestrator.services.datasets.media.strips import span_strip_of
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList
from orchestrator.services.datasets.usable import annotation_gap
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

_REPORT_S = 0.5
_TWICE = "It is the same video as another clip."
_NO_SUCH_SPAN = "Its times are not within the film."
_SMALL_BYTES = 2**20
_BATCH, _BATCH_BYTES = 8, 2**18
"""Small clips are probed in batches, because a request to the probe takes a third of the time of decoding one."""
ProbeRequest = tuple[str, str, str]
"""(file, name for sentences, path of the film strip to write)."""
Probe = Callable[[Sequence[ProbeRequest]], list[ClipFacts]]
"""Returns the facts of each file, in their order. Passed in, so that services need no video library."""
ProbeSpans = Callable[[str, str, Sequence[tuple[float, float, str]]], list[SpanFacts]]
"""(file, name for sentences, [(first second, last second, film strip to write)]) to the facts of each span; [] where
they cannot be decoded."""
_SPANS_AT_ONCE = 8
"""Their sampled frames are in memory together, as large as they are stored."""
_NUMBER, _NAMED_FILMS = re.compile(r"\d+"), 6
Content = tuple[str, Span | None]
"""The hash of a film's bytes, and the span of it that a clip is."""
Reason = tuple[ClipProblem, str]
"""Why a clip is not used, as a kind and a sentence."""
Film = list[tuple[Entry, Reason | None]]
"""The entries of one file, each with the reason why it is not used."""
SPAN_TOLERANCE_S = 0.5
"""How far a span may end behind its film: it then ends with it."""


@dataclass(slots=True)
class NewClip(AnnotatedClip):
    """The columns of a `Clip` before it is written; a hundred times cheaper to create than a mapped object."""

    dataset_id: int
    name: str
    label: str
    caption: str
    prompt: str
    split: Split
    annotations: Annotations = field(default_factory=Annotations)
    start_s: float | None = None
    end_s: float | None = None
    film_s: float = 0.0
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
    note: str = ""
    """What of the film is not used, as a sentence; not a column."""


def columns(clip: NewClip) -> dict[str, object]:
    """The values by column, for a bulk insert."""
    return {name: getattr(clip, name) for name in NewClip.__slots__ if name != "note"}


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
    failed: Mapping[str, str]
    """Why a film could not be made of a folder of pictures, by its name in the upload."""
    probe_spans: ProbeSpans | None = None


def import_clips(
    dataset_id: int,
    task: Task,
    staging: Path,
    layout: DetectedLayout,
    known: set[Content],
    probe: Probe,
    should_continue: Callable[[], bool],
    concurrency: int,
    stored: Mapping[str, str] | None = None,
    failed: Mapping[str, str] | None = None,
    probe_spans: ProbeSpans | None = None,
) -> list[NewClip] | None:
    """Probes all files of a layout and moves usable videos to the storage.

    Args:
        staging: the folder with the unpacked files.
        known: the contents that the dataset has already; such files are hashed, but not probed.
        should_continue: asked before each batch.
        concurrency: how many batches are probed at the same time.
        stored: files of the owner's other datasets by content hash; equal contents share one file on disk.
        failed: why films could not be made of folders of pictures, by their names.
        probe_spans: looks at the frames of spans.

    Returns:
        The records, all of one film together, the films in the order of the layout; None when `should_continue`
        returned False.
    """
    entries, folder = layout.entries, dataset_folder(dataset_id)
    films: dict[str, Film] = {}
    for entry in entries:
        films.setdefault(entry.name, []).append((entry, reason_not_to_use(task, entry, layout)))
    folders = (str(staging), f"{folder}/clips", f"{folder}/thumbs")
    paths = ImportPaths(dataset_id, *folders, f"{get_settings().storage_dir}/", stored or {}, failed or {}, probe_spans)
    for path in (paths.clips, paths.thumbs):
        os.makedirs(path, exist_ok=True)
    imported: list[NewClip] = []
    name_of: dict[Content, str] = {}
    next_report, done = 0.0, 0

    def import_batch(batch: list[Film]) -> list[NewClip]:
        return _import_batch(paths, batch, probe, known)

    waiting = list(films.values())
    del films
    waiting.reverse()
    for clips in ordered_map(import_batch, _batches(paths.staging, waiting), concurrency, should_continue):
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_S
            _report_progress(dataset_id, done, len(entries))
        if clips is None:
            return None
        done += len(clips)
        for clip in clips:
            if clip.status is ClipStatus.OK and content_of(clip) in name_of:
                _reject(clip, ClipProblem.DUPLICATE, f"Is the same video as {name_of[content_of(clip)]}.")
            elif clip.status is ClipStatus.OK:
                name_of[content_of(clip)] = clip.name
        imported += clips
    for clip in imported:
        if clip.status is ClipStatus.QUARANTINED and content_of(clip) in name_of:
            _reject(clip, ClipProblem.DUPLICATE, f"Is the same video as {name_of[content_of(clip)]}.")
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
        elif clip.problem_kind is ClipProblem.NO_SUCH_SPAN:
            collected.add(NotUsedKind.TIME, f"{clip.name} ({clip.span})", _NO_SUCH_SPAN, "Correct the times.")
    return collected.groups()


def film_notes(clips: Sequence[NewClip]) -> list[str]:
    """What of the films is not used: a sentence for each kind, with the names of the first films."""
    films: dict[str, dict[str, str]] = {}
    for clip in clips:
        if clip.note and clip.status is not ClipStatus.BAD:
            films.setdefault(_NUMBER.sub("", general_reason(clip.name, clip.note)), {})[clip.name] = clip.note
    notes = []
    for notes_of in films.values():
        names, first = list(notes_of), next(iter(notes_of.values()))
        others = ", ".join(names[1:_NAMED_FILMS]) + (", …" if len(names) > _NAMED_FILMS else "")
        notes.append(f"{first} So it is with {len(names) - 1:,} further: {others}." if len(names) > 1 else first)
    return notes


def content_of(clip: NewClip | Clip) -> Content:
    """What two equal clips share: the bytes of the film, and the span."""
    return clip.content_hash, clip.span


def _batches(staging: str, films: list[Film]) -> Iterator[list[Film]]:
    """Consecutive small files together, larger files alone.

    Args:
        films: in reverse order; each is removed when it is yielded, so that its memory is free for its record.
    """
    batch: list[Film] = []
    remaining = _BATCH_BYTES
    while films:
        film = films.pop()
        try:
            size = os.stat(f"{staging}/{film[0][0].name}").st_size
        except OSError:
            size = 0
        if batch and (remaining < size or len(batch) == _BATCH):
            yield batch
            batch, remaining = [], _BATCH_BYTES
        batch.append(film)
        remaining -= size
    if batch:
        yield batch


def reason_not_to_use(task: Task, entry: Entry, layout: DetectedLayout) -> Reason | None:
    """Why a file cannot be trained on before it is probed, such as a missing label; None where it can be."""
    if entry.problem:
        return ClipProblem.NOT_ANNOTATED, entry.problem
    gap = annotation_gap(task, entry.name, entry.annotations)
    if gap is None or gap[0] is not ClipProblem.NOT_ANNOTATED:
        return gap
    short, spec = PurePosixPath(entry.name).name, TASKS[task].annotation.spec
    if layout.files and layout.key != "sidecars":
        return gap[0], f"{short} has no {spec.word} in {PurePosixPath(layout.files[0]).name}."
    return gap[0], spec.missing.format(name=short)


def _import_batch(paths: ImportPaths, films: Sequence[Film], probe: Probe, known: set[Content]) -> list[NewClip]:
    """Imports some films: each is probed and stored once, however many spans of it are clips.

    A usable video that the task cannot use as it is annotated is moved to the storage too: QUARANTINED.
    """
    clips_of = [_unprobed(paths, film) for film in films]
    requests: list[tuple[list[NewClip], ProbeRequest]] = []
    for film, clips in zip(films, clips_of, strict=True):
        unknown = [clip for clip in clips if clip.status is not ClipStatus.BAD and content_of(clip) not in known]
        if unknown:
            name = film[0][0].name
            strip = f"{paths.thumbs}/{unknown[0].content_hash[:24]}.jpg"
            requests.append((unknown, (f"{paths.staging}/{name}", name.rpartition("/")[2], strip)))
    all_facts = probe([request for _, request in requests]) if requests else []
    for (clips, (source, short, strip)), facts in zip(requests, all_facts, strict=True):
        for clip in clips:
            clip.note = facts.note
        if facts.problem:
            for clip in clips:
                _reject(clip, ClipProblem.DAMAGED, facts.problem)
            continue
        target = f"{paths.clips}/{clips[0].content_hash[:24]}{os.path.splitext(short)[1].lower()}"
        _store(source, target, paths.stored.get(clips[0].content_hash, ""))
        for clip in clips:
            clip.path, clip.thumbnail_path = target.removeprefix(paths.root), strip.removeprefix(paths.root)
            clip.frames, clip.fps, clip.duration_s = facts.frames, facts.fps, facts.duration_s
            clip.width, clip.height, clip.codec = facts.width, facts.height, sys.intern(facts.codec[:32])
            clip.film_s = facts.duration_s
            clip.perceptual_hash = facts.perceptual_hash
            _fit_span(clip, alone=len(clips) == 1)
        _probe_spans(paths, clips, target, short)
    return [clip for clips in clips_of for clip in clips]


def _probe_spans(paths: ImportPaths, clips: Sequence[NewClip], film: str, short: str) -> None:
    """Gives the spans of a film their own film strips, hashes and numbers of frames."""
    spans = [clip for clip in clips if clip.span and clip.path]
    for first in range(0, len(spans) if paths.probe_spans else 0, _SPANS_AT_ONCE):
        part = spans[first : first + _SPANS_AT_ONCE]
        requests = [
            (span.start_s, span.end_s, f"{paths.root}{span_strip_of(clip.thumbnail_path, span)}")
            for clip in part
            if (span := clip.span)
        ]
        assert paths.probe_spans
        for clip, facts in zip(part, paths.probe_spans(film, short, requests), strict=False):
            clip.frames, clip.perceptual_hash = facts.frames, facts.perceptual_hash


def is_cut_already(span: Span, film_s: float) -> bool:
    """Whether a film is no longer than its only span, so that all of it is the clip."""
    return span.start_s > 0 and film_s <= span.end_s - span.start_s + SPAN_TOLERANCE_S


def _fit_span(clip: NewClip, alone: bool) -> None:
    """Gives a span its length, or the reason why it is not one of its film."""
    span, film_s = clip.span, clip.duration_s
    if span is None:
        return
    if alone and is_cut_already(span, film_s):
        clip.start_s = clip.end_s = None
        return
    if span.start_s >= film_s or span.end_s > film_s + SPAN_TOLERANCE_S:
        short = clip.name.rpartition("/")[2]
        sentence = f"The span {span} is not within {short}, which lasts {round(film_s, 2):g} s. Correct the times."
        clip.path = clip.thumbnail_path = ""
        _reject(clip, ClipProblem.NO_SUCH_SPAN, sentence)
        return
    clip.end_s = min(span.end_s, film_s)
    clip.duration_s = clip.end_s - span.start_s
    clip.perceptual_hash = ""  # it is that of the whole film, so that all spans would look like copies of each other
    clip.frames = max(1, round(clip.frames * clip.duration_s / film_s))


def _unprobed(paths: ImportPaths, film: Film) -> list[NewClip]:
    """The records of a file's entries with annotations, hash and size, before it is probed."""
    name = film[0][0].name
    source = f"{paths.staging}/{name}"
    there = os.path.isfile(source)
    content_hash, size = ("", 0)
    if there and is_film(source):
        content_hash, size = _hash(source)
    elif there:
        size = os.path.getsize(source)
    clips: list[NewClip] = []
    for entry, reason in film:
        label, caption, prompt, annotations = short_form(entry.annotations)
        clip = NewClip(paths.dataset_id, name[-255:], label, caption, prompt, entry.split, annotations)
        clip.start_s, clip.end_s = (entry.span.start_s, entry.span.end_s) if entry.span else (None, None)
        clip.content_hash, clip.size_bytes = content_hash, size
        if name in paths.failed:
            _reject(clip, ClipProblem.DAMAGED, paths.failed[name])
        elif not there:
            missing = entry.problem or f"{name.rpartition('/')[2]} was not uploaded."
            _reject(clip, ClipProblem.NOT_UPLOADED, missing)
        elif reason and content_hash:
            clip.status, clip.problem_kind, clip.problem = ClipStatus.QUARANTINED, reason[0], reason[1][:500]
        elif reason:
            _reject(clip, ClipProblem.NOT_A_VIDEO, reason[1])
        clips.append(clip)
    return clips


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
