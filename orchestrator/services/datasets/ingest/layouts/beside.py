"""Finds the files that belong to a clip by their names: `a.json` or `a.mp4.txt` for `a.mp4`, `captions/a.txt` too."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from orchestrator.services.datasets.ingest.layouts.matching import shared_start

_Parts = tuple[str, ...]


def companion_keys(videos: Sequence[str]) -> dict[str, list[str]]:
    """The names that a file beside a clip may have before its own ending, the longest first.

    For `clip_1.0.mp4` these are the whole name, `clip_1.0` and `clip_1`; a key of several clips belongs to none.
    """
    keys = {name: _keys(name) for name in videos}
    owners = Counter(key for of_one in keys.values() for key in of_one)
    return {name: [key for key in of_one if owners[key] == 1] for name, of_one in keys.items()}


def companion(keys: Iterable[str], endings: Sequence[str], names: set[str]) -> str:
    """The file beside a clip with one of these endings; "" where there is none."""
    return next((name for key in keys for ending in endings if (name := key + ending) in names), "")


def in_parallel_folders(videos: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """The text of each clip where clips and texts are in separate folders: `captions/cat/0.txt` of `videos/cat/0.mp4`.

    Of the texts with the clip's name the one with the most folders in common is taken; none where several are equally
    near, or where two clips are equally near to it.
    """
    by_stem: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        by_stem[_stem(text)].append(text)
    nearest = {name: _nearest(name, by_stem.get(_stem(name), [])) for name in videos}
    videos_by_stem: dict[str, list[str]] = defaultdict(list)
    for name in videos:
        videos_by_stem[_stem(name)].append(name)
    return {
        name: text for name, text in nearest.items() if text and _nearest(text, videos_by_stem[_stem(name)]) == name
    }


def _keys(name: str) -> list[str]:
    folder, slash, last = name.rpartition("/")
    parts = last.split(".")
    return [folder + slash + ".".join(parts[:count]) for count in range(len(parts), 0, -1) if any(parts[:count])]


def _nearest(name: str, candidates: list[str]) -> str:
    if len(candidates) < 2:
        return candidates[0] if candidates else ""
    folders = _folders(name)
    pairs = [(folders, _folders(other)) for other in candidates]
    common = [shared_start(one, other) + shared_start(one[::-1], other[::-1]) for one, other in pairs]
    best = [other for other, count in zip(candidates, common, strict=True) if count == max(common)]
    return best[0] if len(best) == 1 else ""


def _folders(name: str) -> _Parts:
    return tuple(name.split("/")[:-1])


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
