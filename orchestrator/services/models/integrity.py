"""Checks that the files of a base model are whole: every shard there, every number finite, a processor beside them."""

import mmap
from pathlib import Path
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.services.models.files import INDEX, NO_PROCESSOR, PROCESSORS
from orchestrator.services.models.inspect import read_head, shards_of, weight_files

_ALL_ONES = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F8_E5M2": ("u1", 0x7C),
    "F8_E4M3": ("u1", 0x7F),
}
"""dtype -> (the same bits as integers, the exponent's): a number whose exponent is all ones is infinite or none
(IEEE 754; of F8_E4M3 only the pattern of all ones is, OCP 8-bit floating point 1.0)."""
_BLOCK = 2**24


def check_files(folder: Path) -> None:
    """Reads every weight; `inspect_model` has read the heads.

    Raises:
        Invalid: field `path`, with the sentence that says what is missing or damaged.
    """
    if (folder / INDEX).exists():
        _check_index(folder, shards_of(folder / INDEX))
    if not any((folder / name).is_file() for name in PROCESSORS):
        raise Invalid(NO_PROCESSOR, "path")
    for file in weight_files(folder):
        if name := _not_finite(file):
            raise Invalid(f"{file.name} holds numbers that are not finite, in {name}. Copy it again.", "path")


def _check_index(folder: Path, shards: dict[str, str]) -> None:
    """Every file that the index names is there, with every tensor that it should hold."""
    names = sorted(set(shards.values()))
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise Invalid(f"{missing[0]} is missing: the index names {len(names)} files. Add all of them.", "path")
    heads = {name: read_head(folder / name)[0] for name in names}
    for tensor, name in shards.items():
        if tensor not in heads[name]:
            raise Invalid(f"{name} does not hold {tensor[:200]}, as the index says. Copy it again.", "path")


def _not_finite(file: Path) -> str:
    """The name of the first tensor that holds such a number, or "". Works on the file's own pages: no copy of it."""
    import numpy as np  # only who checks pays for it

    head, start = read_head(file)
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        for name, facts in head.items():
            kind, ones = _ALL_ONES.get(str(facts["dtype"]), ("", 0))
            begin, end = (start + int(at) for at in facts["data_offsets"])
            for at in range(begin, end, _BLOCK) if kind else ():
                bits: Any = np.frombuffer(pages[at : min(end, at + _BLOCK)], kind)
                if bool(((bits & ones) == ones).any()):
                    return name
    return ""
