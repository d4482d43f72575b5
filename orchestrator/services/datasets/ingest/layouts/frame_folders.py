"""Finds the folders of numbered pictures in an upload: each is the frames of one film, at a rate that can be changed.

A film of a folder has the folder's path with `FILM_ENDING`, so that annotation files may name the folder. It becomes a
file when it is imported (`ingest/frame_films.py`).
"""

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.files import ending_of, is_video

FILM_ENDING = ".mov"
PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
USUAL_RATE = 25.0
MANIFEST = ".frame-folders.json"
"""The file in the staging folder that says which films were made of which pictures; it is kept with the dataset."""
_NUMBERED = re.compile(r"(?P<prefix>[^/]*?)(?P<number>\d{1,12})")
_OF_A_CAMERA = re.compile(r"(?:IMG|DSC|DSCN|DSCF|PXL|DJI|GOPR|SAM|CIMG|P|MVIMG|PANO)[_-]?")
_FLOW = frozenset({"flow", "flow_x", "flow_y", "flow_u", "flow_v", "optical_flow", "tvl1", "tvl1_flow", "flow_tvl1"})
_FLOW_PAIRS = ({"x", "y"}, {"u", "v"})
_STEP_FROM = 4
"""How many pictures a folder must have at least whose numbers go in larger steps than 1."""
_MARKS = "_-. "
_MIN_DENSITY = 0.5
"""Share of the numbers from the first to the last that must be there, in the step of the numbers."""
_FLOW_REASON = "Optical flow, and no pictures of a film."
_CAMERA_REASON = "Photographs: they are numbered as cameras number them."
_SPARSE_REASON = "No frames of a film: most of the numbers between the first and the last are missing."
_TWICE_REASON = "No frames of a film: several pictures have the same number."
_BESIDE_REASON = "Pictures beside films, or with the names of films."
_ALONE_REASON = "A single picture, and no film."
_TAKEN_REASON = "A film with the name of their folder is there as well."


@dataclass(frozen=True, slots=True)
class FrameFolder:
    """The pictures of one film, in their order.

    Attributes:
        pictures: their paths inside the upload.
        numbers: the number of each.
    """

    pictures: Sequence[str]
    numbers: Sequence[int]

    @property
    def folder(self) -> str:
        return self.pictures[0].rpartition("/")[0]

    @property
    def step(self) -> int:
        """How far apart two numbers are that follow each other."""
        return _step(self.numbers)

    @property
    def missing(self) -> int:
        """How many pictures are missing between the first and the last."""
        return (self.numbers[-1] - self.numbers[0]) // self.step + 1 - len(self.numbers)

    @property
    def first_missing(self) -> int:
        """The first number that is missing; only where one is."""
        step = self.step
        return next(before + step for before, after in pairwise(self.numbers) if after - before > step)

    def span(self, start: int, stop: int, rate: float) -> Span | None:
        """The part from one number to before another, in seconds; None where all of it is."""
        first, end = bisect_left(self.numbers, start), bisect_left(self.numbers, stop)
        return Span(first / rate, end / rate) if (first, end) != (0, len(self.numbers)) else None


@dataclass(slots=True)
class FrameFolders:
    """The frame folders of an upload.

    Attributes:
        films: the folder of each film, by the film's path.
        left_out: why numbered pictures are no film, by their path.
        chosen_rate: frames a second for all of them; 0: as the files say, else `USUAL_RATE`.
        stated_rates: what the files of the upload say, by film.
        made: whether the films are files already, so that their rates cannot be changed.
    """

    films: dict[str, FrameFolder] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    chosen_rate: float = 0.0
    stated_rates: dict[str, float] = field(default_factory=dict)
    made: frozenset[str] = frozenset()

    def rate_of(self, film: str) -> float:
        """Frames a second of a film."""
        if film in self.made:
            return self.stated_rates.get(film, USUAL_RATE)
        return self.chosen_rate or self.stated_rates.get(film, USUAL_RATE)

    def unmade_rate(self) -> float:
        """The rate of the first film that is not made yet, which can be chosen; 0.0 where all are made."""
        return next((self.rate_of(film) for film in self.films if film not in self.made), 0.0)

    def names_with_films(self, names: Iterable[str]) -> list[str]:
        """The names of an upload with its films in place of their pictures."""
        pictures = {picture for folder in self.films.values() for picture in folder.pictures}
        hidden = pictures | self.films.keys() | {MANIFEST}
        return [*(name for name in names if name not in hidden), *self.films]

    def part_of(self, pictures: Sequence[str]) -> tuple[str, Span | None] | None:
        """The film that a list of pictures shows, and the span of it; None where they are no run of a film's frames."""
        for film, folder in self._near(pictures[0]):
            numbers = [self._number_in(folder, picture) for picture in pictures]
            if None in numbers:
                continue
            first = numbers[0] or 0
            if numbers == list(range(first, first + len(numbers))):
                whole = len(numbers) == len(folder.pictures)
                rate = self.rate_of(film)
                return film, None if whole else Span(first / rate, (first + len(numbers)) / rate)
        return None

    def _near(self, picture: str) -> list[tuple[str, FrameFolder]]:
        """The films whose folder ends as that of the picture does, the longest end first."""
        parts = [part for part in picture.replace("\\", "/").split("/") if part not in ("", ".", "..")][:-1]
        near = []
        for film, folder in self.films.items():
            own = folder.folder.split("/") if folder.folder else []
            shared = min(len(own), len(parts))
            if own[len(own) - shared :] == parts[len(parts) - shared :] and (shared or len(self.films) == 1):
                near.append((shared, film, folder))
        return [(film, folder) for _, film, folder in sorted(near, key=lambda one: -one[0])]

    def _number_in(self, folder: FrameFolder, picture: str) -> int | None:
        """The place of a picture among the frames of a film."""
        last = picture.replace("\\", "/").rpartition("/")[2]
        if not (parts := _NUMBERED.fullmatch(_stem(last))):
            return None
        at = bisect_left(folder.numbers, int(parts["number"]))
        there = at < len(folder.pictures) and folder.pictures[at].rpartition("/")[2] == last
        return at if there else None


def find_frame_folders(names: Sequence[str]) -> FrameFolders:
    """The films that the pictures of an upload are, by the numbers in their names."""
    pictures: dict[str, list[str]] = defaultdict(list)
    with_films, stems = set(), set()
    for name in names:
        folder = name.rpartition("/")[0]
        if ending_of(name) in PICTURE_ENDINGS:
            pictures[folder].append(name)
        elif is_video(name):
            with_films.add(folder)
            stems.add(_stem(name))
    found = FrameFolders()
    for folder, in_folder in pictures.items():
        named_like_films = sum(_stem(name) in stems for name in in_folder)
        if folder in with_films or 2 * named_like_films > len(in_folder):
            found.left_out |= dict.fromkeys(in_folder, _BESIDE_REASON)
        else:
            _add_films(found, folder, in_folder, stems)
    return found


def _add_films(found: FrameFolders, folder: str, pictures: list[str], stems: set[str]) -> None:
    """The film of a folder; several where its pictures have several names before their numbers."""
    films: dict[str, list[tuple[int, str]]] = {}
    groups = _groups(pictures)
    for prefix, numbered in groups.items():
        if reason := _FLOW_REASON if _is_flow(folder, prefix, groups) else _reason(prefix, numbered):
            found.left_out |= dict.fromkeys((name for _, name in numbered), reason)
        else:
            films[prefix] = sorted(numbered)
    for prefix, numbered in films.items():
        own = prefix.rstrip(_MARKS) if len(films) > 1 else ""
        path = "/".join(filter(None, (folder, own))) or "frames"
        names = [name for _, name in numbered]
        if path.rpartition("/")[2] in stems or f"{path}{FILM_ENDING}" in found.films:
            found.left_out |= dict.fromkeys(names, _TAKEN_REASON)
        else:
            found.films[f"{path}{FILM_ENDING}"] = FrameFolder(names, [number for number, _ in numbered])


def _groups(pictures: list[str]) -> dict[str, list[tuple[int, str]]]:
    """(number, path) of numbered pictures by what stands before the number; those of the usual ending only."""
    usual = Counter(ending_of(name) for name in pictures).most_common(1)[0][0]
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in pictures:
        parts = _NUMBERED.fullmatch(_stem(name))
        if parts and ending_of(name) == usual:
            groups[parts["prefix"]].append((int(parts["number"]), name))
    return groups


def _is_flow(folder: str, prefix: str, groups: Mapping[str, object]) -> bool:
    """Whether pictures are optical flow: by the name before the number, or by a folder of that name."""
    plain = prefix.rstrip(_MARKS).lower()
    prefixes = {other.rstrip(_MARKS).lower() for other in groups}
    is_pair = any(plain in pair and pair <= prefixes for pair in _FLOW_PAIRS)
    return is_pair or plain in _FLOW or any(part.lower() in _FLOW for part in folder.split("/"))


def _reason(prefix: str, numbered: list[tuple[int, str]]) -> str:
    """Why numbered pictures are not the frames of a film; "" where they are."""
    numbers = sorted(number for number, _ in numbered)
    if len(numbers) < 2:
        return _ALONE_REASON
    if len(set(numbers)) < len(numbers):
        return _TWICE_REASON
    if numbers[0] > 1 and _OF_A_CAMERA.fullmatch(prefix):
        return _CAMERA_REASON
    steps = (numbers[-1] - numbers[0]) // _step(numbers) + 1
    return "" if len(numbers) >= _MIN_DENSITY * steps else _SPARSE_REASON


def _step(numbers: Sequence[int]) -> int:
    """How far apart two numbers usually are: more than 1 where only every so many frames were kept."""
    if len(numbers) < _STEP_FROM:
        return 1
    gaps = Counter(after - before for before, after in pairwise(numbers))
    step = min(gaps)
    return step if all(gap % step == 0 for gap in gaps) else 1


def _stem(name: str) -> str:
    """The name of a file without its folder and its ending."""
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0] or last


def manifest_of(found: FrameFolders, made: Iterable[str]) -> dict[str, Any]:
    """What is kept of the films that were made: {film: {"rate", "pictures": [paths]}}."""
    return {
        film: {"rate": found.rate_of(film), "pictures": list(found.films[film].pictures)}
        for film in made
        if film in found.films
    }


def read_manifest(staging: Path) -> FrameFolders:
    """The films that were made of pictures before; none where there is no manifest."""
    found = FrameFolders()
    try:
        kept = json.loads((staging / MANIFEST).read_text())
    except (OSError, ValueError):
        return found
    for film, of_film in kept.items() if isinstance(kept, Mapping) else ():
        numbered = [(_number(name), name) for name in of_film["pictures"]]
        found.films[film] = FrameFolder([name for _, name in numbered], [number for number, _ in numbered])
        found.stated_rates[film] = float(of_film["rate"])
    found.made = frozenset(found.films)
    return found


def _number(name: str) -> int:
    parts = _NUMBERED.fullmatch(_stem(name))
    return int(parts["number"]) if parts else 0
