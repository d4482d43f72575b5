"""Checks the files of a base model: all shards exist, all weights are finite, there is a processor config."""

import mmap
from pathlib import Path
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.services.models.files import INDEX, NO_PROCESSOR, PROCESSORS
from orchestrator.services.models.inspect import read_header, shards_of, weight_files

_EXPONENT_BITS = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F8_E5M2": ("u1", 0x7C),
    "F8_E4M3": ("u1", 0x7F),
}
"""dtype -> (integer type of the same width, mask): a number with all bits of the mask set is infinite or NaN. The mask
is the exponent (IEEE 754), for F8_E4M3 the whole pattern (OCP 8-bit floating point 1.0)."""
_BLOCK = 2**24


def check_files(folder: Path) -> None:
    """Checks every weight; `inspect_model` has checked the headers.

    Raises:
        Invalid: field `path`: a file is missing or damaged.
    """
    if (folder / INDEX).exists():
        _check_index(folder, shards_of(folder / INDEX))
    if not any((folder / name).is_file() for name in PROCESSORS):
        raise Invalid(NO_PROCESSOR, "path")
    for file in weight_files(folder):
        if name := _not_finite(file):
            raise Invalid(f"{file.name} has numbers that are not finite, in {name}. Copy it again.", "path")


def _check_index(folder: Path, shards: dict[str, str]) -> None:
    """Checks that each file of the index exists and has the tensors that the index says."""
    names = sorted(set(shards.values()))
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise Invalid(f"{missing[0]} is missing: the index names {len(names)} files. Add all of them.", "path")
    headers = {name: read_header(folder / name)[0] for name in names}
    for tensor, name in shards.items():
        if tensor not in headers[name]:
            raise Invalid(f"{name} does not have {tensor[:200]}, as the index says. Copy it again.", "path")


def _not_finite(file: Path) -> str:
    """The name of the first tensor with an infinite or NaN value, or ""; reads a memory map, without a copy."""
    import numpy as np  # imported only where it is needed

    header, start = read_header(file)
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        for name, facts in header.items():
            dtype, mask = _EXPONENT_BITS.get(str(facts["dtype"]), ("", 0))
            begin, end = (start + int(offset) for offset in facts["data_offsets"])
            for at in range(begin, end, _BLOCK) if dtype else ():
                bits: Any = np.frombuffer(pages[at : min(end, at + _BLOCK)], dtype)
                if bool(((bits & mask) == mask).any()):
                    return name
    return ""
