"""Reads which part of the data a name means: train, val and test, as people write them."""

import re
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
    "test": Split.VALIDATION,
    "testlist": Split.VALIDATION,
    "testing": Split.VALIDATION,
}


def split_of(word: object) -> Split:
    """A value of a split column; anything unknown leaves the choice to the trainer."""
    return SPLITS.get(str(word or "").strip().lower(), Split.AUTO)


def split_in(name: str) -> Split:
    """The split that a file's own name or folder says: `ucf_val_split_1.txt`, `train/metadata.csv`."""
    path = PurePosixPath(name)
    parts = [part for part in re.split(r"[^a-z]+", path.stem.lower()) if part in SPLITS]
    parts += [part.lower() for part in reversed(path.parts[:-1]) if part.lower() in SPLITS]
    # "train_val" says both: such a file holds a column of its own, or means everything.
    return SPLITS[parts[0]] if parts and len({SPLITS[part] for part in parts[:2]}) == 1 else Split.AUTO
