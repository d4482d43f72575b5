"""Recognizes names of splits: train, val, test and their variants."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from orchestrator.domain.datasets import Split

SPLITS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "trainlist": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validate": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "dev": Split.VALIDATION,
    "eval": Split.VALIDATION,
    "evaluation": Split.VALIDATION,
    "test": Split.VALIDATION,
    "testlist": Split.VALIDATION,
    "testing": Split.VALIDATION,
}
_BESIDE_A_SPLIT = frozenset(
    {"", "video", "videos", "clip", "clips", "film", "films", "data", "dataset", "set", "split", "shard", "part"}
)
"""Words that the name of a split's folder may have too: train_videos, val-00012."""


def split_of(word: object) -> Split:
    """The split of a column's value; AUTO for unknown values."""
    return SPLITS.get(str(word or "").strip().lower(), Split.AUTO)


def split_in(name: str) -> Split:
    """The split in the name of a file or its folders: `ucf_val_split_1.txt`, `train/metadata.csv`; else AUTO."""
    path = PurePosixPath(name)
    parts = [part for part in re.split(r"[^a-z]+", path.stem.lower()) if part in SPLITS]
    parts += [part.lower() for part in reversed(path.parts[:-1]) if part.lower() in SPLITS]
    # A name with two splits such as "train_val" decides nothing.
    return SPLITS[parts[0]] if parts and len({SPLITS[part] for part in parts[:2]}) == 1 else Split.AUTO


def splits_by_folder(videos: Sequence[str]) -> dict[str, Split]:
    """The split of each clip below a split's folder.

    A folder of class folders with such a name is a split's where half of the clips or more are below one of them. The
    clips' own folders are splits only where they name different ones, because `train` is a class beside `bus` too.
    """
    above: dict[str, Split] = {}
    own: dict[str, Split] = {}
    for name in videos:
        folders = name.split("/")[:-1]
        found = [split for folder in folders[:-1] if (split := _split_of_folder(folder))]
        if found:
            above[name] = found[-1]
        elif folders and (split := _split_of_folder(folders[-1])):
            own[name] = split
    if len(set(own.values())) < 2:
        own = {}
    splits = above | own
    return splits if 2 * len(splits) >= len(videos) else {}


def is_split_folder(name: str) -> bool:
    """Whether a folder has the name of a split."""
    return _split_of_folder(name) is not None


@lru_cache(4_096)
def _split_of_folder(name: str) -> Split | None:
    words = set(re.split(r"[^a-z]+", name.lower()))
    splits = {SPLITS[word] for word in words if word in SPLITS}
    return splits.pop() if len(splits) == 1 and words - SPLITS.keys() <= _BESIDE_A_SPLIT else None
