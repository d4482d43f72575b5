"""The rates of frame folders that the files of an upload say, and the sentences about their films."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from statistics import median
from typing import Any

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_folders import FILM_ENDING, FrameFolders
from orchestrator.services.datasets.ingest.layouts.rows import Row, peek
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.tree import TABLE_ENDINGS, Tree

_RATE_COLUMNS = frozenset({"fps", "frame_rate", "framerate", "frames_per_second"})
_START_FRAMES = ("start_frame", "frame_start", "begin_frame")
_STOP_FRAMES = ("stop_frame", "end_frame", "frame_end", "frame_stop")
_START_TIMES = ("start_timestamp", "start_time", "start", "start_s")
_STOP_TIMES = ("stop_timestamp", "end_time", "end", "stop", "end_s")
_USUAL = (10, 12, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 120)
_NEAR = 0.01
"""By which share a rate that is computed of frames and times may differ from a usual one."""
_SLOWEST, _FASTEST = 0.1, 240.0
_SHORTEST_S = 0.2
"""A shorter span says too little about the rate: frames and times are rounded."""


def read_stated_rates(tree: Tree) -> None:
    """Notes in `tree.frames` what the tables say: a column of rates, or frames beside times."""
    frames = tree.frames
    if not set(frames.films) - frames.made:
        return
    found: dict[str, list[float]] = defaultdict(list)
    for file in tree.texts(*TABLE_ENDINGS):
        for row in tree.rows(file):
            keys = {_plain(key): key for key in row if key}
            rate = _rate_in(row, keys)
            if rate and (film := _film_of(tree, row)):
                found[film].append(rate)
    frames.stated_rates |= {
        film: _usual(median(rates)) for film, rates in found.items() if film in frames.films and film not in frames.made
    }


def frames_span(row: Row, film: str, frames: FrameFolders) -> Span | None:
    """The span that a row states by frames, for the film of a frame folder; None where it states none.

    A span with NaN where one of the frames cannot be read.
    """
    folder = frames.films.get(film)
    keys = {_plain(key): key for key in row if key}
    start, stop = _first(keys, _START_FRAMES), _first(keys, _STOP_FRAMES)
    if folder is None or not start or not stop:
        return None
    stated = read_span(row.get(start), row.get(stop))
    if stated is None or not stated.start_s < stated.end_s:
        return stated
    rate = frames.rate_of(film)
    return folder.span(int(stated.start_s), int(stated.end_s), rate)


def has_frame_columns(row: Row) -> bool:
    """Whether a row states a span by frames."""
    keys = {_plain(key): key for key in row if key}
    return bool(_first(keys, _START_FRAMES) and _first(keys, _STOP_FRAMES))


def frame_notes(layout: DetectedLayout, frames: FrameFolders) -> list[str]:
    """What is said at the review of the films that are made of pictures."""
    films = [entry.name for entry in layout.entries if entry.name in frames.films]
    films = list(dict.fromkeys(films))
    if not films:
        return []
    notes = [_rates_sentence(films, frames)]
    if gaps := [film for film in films if frames.films[film].missing]:
        folder = frames.films[gaps[0]]
        count = f"{folder.missing:,} {'number is' if folder.missing == 1 else 'numbers are'}"
        others = f" So it is with {len(gaps) - 1:,} further folders." if len(gaps) > 1 else ""
        notes.append(
            f"Pictures are missing: in {_folder(gaps[0])} {count} not there (the first is {folder.first_missing}), so "
            f"that the film jumps.{others}"
        )
    if steps := [film for film in films if frames.films[film].step > 1]:
        step = frames.films[steps[0]].step
        notes.append(
            f"The numbers of {_folder(steps[0])} go in steps of {step}: each picture is one frame. If only every "
            f"{step}th frame was kept, the rate is {step} times smaller."
        )
    return notes


def _rates_sentence(films: list[str], frames: FrameFolders) -> str:
    rates = sorted({frames.rate_of(film) for film in films})
    rate = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g}"
    what = "1 film is" if len(films) == 1 else f"{len(films):,} films are"
    made = f"{what} made of folders of numbered pictures, at {rate} frames a second"
    if all(film in frames.made for film in films):
        return f"{made}."
    if frames.chosen_rate:
        return f"{made}, as chosen."
    if all(film in frames.stated_rates for film in films):
        return f"{made}, as the tables say."
    return f"{made}. No file says their rate: it can be changed under Correct."


def _folder(film: str) -> str:
    return film.removesuffix(FILM_ENDING)


def _rate_in(row: Row, keys: Mapping[str, str]) -> float:
    """The frames a second that a row says; 0.0 where it says none."""
    column = _first(keys, _RATE_COLUMNS)
    rate = _number(peek(row, column)) if column else _by_times(row, keys)
    return rate if _SLOWEST <= rate <= _FASTEST else 0.0


def _by_times(row: Row, keys: Mapping[str, str]) -> float:
    columns = [_first(keys, names) for names in (_START_FRAMES, _STOP_FRAMES, _START_TIMES, _STOP_TIMES)]
    if not all(columns):
        return 0.0
    start, stop, *times = (peek(row, column) for column in columns)
    span = read_span(*times)
    length = span.end_s - span.start_s if span else 0.0
    return (_number(stop) - _number(start)) / length if length >= _SHORTEST_S else 0.0


def _number(value: Any) -> float:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)(?:\s*fps)?\s*", str(value), re.IGNORECASE)
    return float(match[1]) if match else 0.0


def _usual(rate: float) -> float:
    nearest = min(_USUAL, key=lambda usual: abs(usual - rate))
    return float(nearest) if abs(nearest - rate) <= _NEAR * nearest else round(rate, 3)


def _film_of(tree: Tree, row: Row) -> str:
    """The frame folder that one of a row's texts names; "" where none does, or several."""
    named: set[str] = set()
    for key in row:
        value = peek(row, key)
        if isinstance(value, str) and value:
            path = value.replace("\\", "/").strip("/")
            last = PurePosixPath(path).name
            named |= {name for name in [tree.index.at(path)] if name} or set(tree.index.named(last))
    return named.pop() if len(named) == 1 else ""


def _plain(key: object) -> str:
    return re.sub(r"[\s-]+", "_", str(key).strip().lower())


def _first(keys: Mapping[str, str], names: Iterable[str]) -> str:
    return next((keys[name] for name in names if name in keys), "")
