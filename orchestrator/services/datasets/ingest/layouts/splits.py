"""Recognizes names of splits: train, val, test and their variants."""

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
    """The split of a column's value; AUTO for unknown values."""
    return SPLITS.get(str(word or "").strip().lower(), Split.AUTO)


def split_in(name: str) -> Split:
    """The split in the name of a file or its folders: `ucf_val_split_1.txt`, `train/metadata.csv`; else AUTO."""
    path = PurePosixPath(name)
    parts = [part for part in re.split(r"[^a-z]+", path.stem.lower()) if part in SPLITS]
    parts += [part.lower() for part in reversed(path.parts[:-1]) if part.lower() in SPLITS]
    # A name with two splits such as "train_val" decides nothing.
    return SPLITS[parts[0]] if parts and len({SPLITS[part] for part in parts[:2]}) == 1 else Split.AUTO
