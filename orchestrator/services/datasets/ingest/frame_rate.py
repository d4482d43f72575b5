"""Changes the rate of films that were made of folders of pictures, as a version of the dataset that can be undone.

The pictures are written into another film, without loss; the former one stays for older versions. A span keeps its
pictures: its times change with the rate.
"""

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, Dataset, DatasetEdit, DatasetStatus
from orchestrator.domain.errors import Invalid
from orchestrator.services import sandbox
from orchestrator.services.datasets.counts import update_counts
from orchestrator.services.datasets.curation.history import Changes, changes_between, edited_values
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest.layouts.frame_folders import read_manifest
from orchestrator.services.datasets.ingest.reinterpret import unused_files_folder
from orchestrator.services.datasets.media.strips import span_strip_of
from orchestrator.services.db import session_scope
from orchestrator.services.sandbox import Tool
from orchestrator.settings import get_settings


@dataclass(frozen=True, slots=True)
class _Film:
    """A film with another rate."""

    path: str
    content_hash: str
    size_bytes: int


def change_frame_rate(dataset_id: int, rate: float, should_continue: Callable[[], bool]) -> str:
    """Gives all films that were made of pictures this rate.

    Returns:
        "ready", or why nothing was done; for the log.

    Raises:
        Invalid: a film cannot be written again.
    """
    staging = dataset_folder(dataset_id) / "incoming-rate"
    with session_scope() as session:
        paths = sorted({clip.path for clip in films_of_pictures(session, dataset_id) if clip.fps != rate})
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    films: dict[str, _Film] = {}
    try:
        for path in paths:
            if not should_continue():
                return "left to another worker"
            films[path] = _with_rate(dataset_id, path, rate, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "called off"
        _record(session, dataset, films, rate)
    return "ready"


def films_of_pictures(session: Session, dataset_id: int) -> list[Clip]:
    """The clips whose films were made of folders of pictures."""
    made = read_manifest(unused_files_folder(dataset_folder(dataset_id))).films
    clips = select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "").order_by(col(Clip.id))
    return [clip for clip in session.exec(clips) if clip.name in made] if made else []


def _with_rate(dataset_id: int, path: str, rate: float, staging: Path) -> _Film:
    """Writes a film with another rate into the storage.

    Raises:
        Invalid: it cannot be written.
    """
    root, written = get_settings().storage_dir, staging / "film.mov"
    request = {"film": str(root / path), "target": str(written), "fps": rate}
    limit = min(get_settings().max_upload_bytes, shutil.disk_usage(staging).free)
    done = sandbox.run(Tool.MAKE_FILMS, str(limit), request=json.dumps(request).encode() + b"\n")
    answers = done.output.splitlines()
    problem = str(json.loads(answers[0])["problem"]) if answers else "It makes the program fail that reads it."
    if problem:
        raise Invalid(f"A film of pictures cannot be written with another rate. {problem}", "frame_rate")
    with written.open("rb") as file:
        content_hash = hashlib.file_digest(file, "sha256").hexdigest()
    target = dataset_folder(dataset_id) / "clips" / f"{content_hash[:24]}{Path(path).suffix}"
    size = written.stat().st_size
    os.replace(written, target)
    return _Film(target.relative_to(root).as_posix(), content_hash, size)


def _record(session: Session, dataset: Dataset, films: dict[str, _Film], rate: float) -> None:
    changes: Changes = {}
    by_film: dict[str, list[Clip]] = defaultdict(list)
    for clip in films_of_pictures(session, dataset.id or 0):
        if clip.path in films:
            by_film[clip.path].append(clip)
    for path, clips in by_film.items():
        for clip in clips:
            before = edited_values(clip)
            _set_rate(clip, films[path], rate)
            changes[str(clip.id)] = changes_between(before, edited_values(clip))
            session.add(clip)
    session.flush()
    if changes:
        dataset.version += 1
        what = f"{len(by_film):,} {'film' if len(by_film) == 1 else 'films'} of pictures: {rate:g} frames a second"
        session.add(DatasetEdit(dataset_id=dataset.id or 0, version=dataset.version, what=what, changes=changes))
    update_counts(session, dataset)
    dataset.status, dataset.stage, dataset.error, dataset.updated_at = DatasetStatus.READY, "", "", utcnow()
    session.add(dataset)


def _set_rate(clip: Clip, film: _Film, rate: float) -> None:
    """Gives a clip the film with another rate; its frames, pictures and film strip stay the same."""
    factor, span, strip = clip.fps / rate, clip.span, clip.thumbnail_path
    new_strip = str(Path(strip).with_name(f"{film.content_hash[:24]}.jpg")) if strip else ""
    clip.film_s *= factor
    clip.duration_s *= factor
    if span is not None:
        clip.start_s, clip.end_s = span.start_s * factor, span.end_s * factor
    clip.path, clip.content_hash, clip.size_bytes = film.path, film.content_hash, film.size_bytes
    clip.fps, clip.thumbnail_path = rate, new_strip
    root = get_settings().storage_dir
    for old, new in ((strip, new_strip), (span_strip_of(strip, span), span_strip_of(new_strip, clip.span))):
        if strip and (root / old).is_file() and not (root / new).exists():
            shutil.copyfile(root / old, root / new)
