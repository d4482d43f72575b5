"""Makes films of folders of pictures, in a sandboxed process (jobs/sandbox/make_films.py), before they are probed."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.services import sandbox
from orchestrator.services.datasets.ingest.layouts.frame_folders import (
    MANIFEST,
    FrameFolders,
    find_frame_folders,
    manifest_of,
    read_manifest,
)
from orchestrator.services.datasets.ingest.ordered_map import ordered_map
from orchestrator.services.sandbox import Tool
from orchestrator.settings import get_settings

_BATCH_PICTURES = 2_000
"""A process makes the films of about so many pictures: enough that its start does not count."""
_RESERVED_BYTES = 256 * 2**20
_UNREADABLE = "Its pictures cannot be written as a film: they make the program fail that reads them."


@dataclass(slots=True)
class MadeFilms:
    """What has become of the frame folders.

    Attributes:
        failed: why a film could not be made, by its path.
        other_sizes: films whose pictures differ in size.
    """

    failed: dict[str, str] = field(default_factory=dict)
    other_sizes: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Sentences about films with pictures of several sizes."""
        if not self.other_sizes:
            return []
        films, first = len(self.other_sizes), self.other_sizes[0].rpartition(".")[0]
        which = f"The pictures of {first} differ" if films == 1 else f"The pictures of {films:,} films differ"
        return [f"{which} in size: all are scaled to the size of the first one of their film (the first is {first})."]


def frame_folders_of(staging: Path, names: Sequence[str], chosen_rate: float) -> FrameFolders:
    """The frame folders of an upload, and the films that were made of others before."""
    made = read_manifest(staging)
    found = find_frame_folders([name for name in names if name not in made.films])
    found.films = made.films | found.films
    found.stated_rates, found.made, found.chosen_rate = made.stated_rates, made.made, chosen_rate
    return found


def make_films(
    staging: Path, frames: FrameFolders, should_continue: Callable[[], bool], concurrency: int
) -> MadeFilms | None:
    """Writes the film of each frame folder into the staging folder, and deletes its pictures there.

    Returns:
        None when `should_continue` returned False.
    """
    made = MadeFilms()
    films = [film for film in frames.films if film not in frames.made]
    if not films:
        return made

    def make(batch: list[str]) -> list[dict[str, object]]:
        return _make(staging, frames, batch)

    batches = list(_batches(frames, films))
    for batch, answers in zip(batches, ordered_map(make, batches, concurrency, should_continue), strict=False):
        if answers is None:
            return None
        for film, answer in zip(batch, answers, strict=True):
            if problem := str(answer["problem"]):
                made.failed[film] = problem
            elif answer["other_sizes"]:
                made.other_sizes.append(film)
    manifest = manifest_of(frames, [film for film in frames.films if film not in made.failed])
    (staging / MANIFEST).write_text(json.dumps(manifest))
    return made


def keep_manifest(staging: Path, kept: Path) -> None:
    """Adds the manifest of the staging folder to the one that is kept with the dataset."""
    if not (staging / MANIFEST).is_file():
        return
    before = read_manifest(kept)
    manifest = manifest_of(before, before.films) | json.loads((staging / MANIFEST).read_text())
    kept.mkdir(parents=True, exist_ok=True)
    (kept / MANIFEST).write_text(json.dumps(manifest))
    (staging / MANIFEST).unlink()


def _batches(frames: FrameFolders, films: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    pictures = 0
    for film in films:
        batch.append(film)
        pictures += len(frames.films[film].pictures)
        if pictures >= _BATCH_PICTURES:
            yield batch
            batch, pictures = [], 0
    if batch:
        yield batch


def _make(staging: Path, frames: FrameFolders, films: Sequence[str]) -> list[dict[str, object]]:
    """Makes some films in one process, those after one that ends the process in further ones.

    Raises:
        OSError: the disk is full.
    """
    answers: list[dict[str, object]] = []
    while len(answers) < len(films):
        rest = films[len(answers) :]
        answers += _answers(staging, frames, rest) or [{"problem": _UNREADABLE, "other_sizes": 0}]
        _check_disk(staging)
    for film, answer in zip(films, answers, strict=True):
        if answer["problem"]:
            (staging / film).unlink(missing_ok=True)
        for picture in frames.films[film].pictures:
            (staging / picture).unlink(missing_ok=True)
    return answers


def _answers(staging: Path, frames: FrameFolders, films: Sequence[str]) -> list[dict[str, object]]:
    lines = []
    for film in films:
        pictures = [str(staging / picture) for picture in frames.films[film].pictures]
        request = {"pictures": pictures, "target": str(staging / film), "fps": frames.rate_of(film)}
        lines.append(json.dumps(request).encode() + b"\n")
    limit = min(get_settings().max_upload_bytes, shutil.disk_usage(staging).free)
    try:
        finished = sandbox.run(Tool.MAKE_FILMS, str(limit), request=b"".join(lines))
    except sandbox.TimeLimitReached:
        return []
    complete = finished.output.rpartition(b"\n")[0].splitlines()
    return [json.loads(line) for line in complete]


def _check_disk(staging: Path) -> None:
    if shutil.disk_usage(staging).free < _RESERVED_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(staging))
