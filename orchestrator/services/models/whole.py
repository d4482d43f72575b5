"""Checks that the files of a base model are whole: every shard there, every number finite, a processor beside them."""

import json
import mmap
from pathlib import Path
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.services.models.inspect import read_head

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
_PROCESSORS = ("preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json")


def check_files(folder: Path) -> None:
    """Reads every weight; `inspect_model` has read the heads.

    Raises:
        Invalid: field `path`, with the sentence that says what is missing or damaged.
    """
    index = folder / "model.safetensors.index.json"
    if index.exists():
        try:
            shards = {str(name) for name in json.loads(index.read_text())["weight_map"].values()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
            raise Invalid("model.safetensors.index.json is damaged. Copy it again.", "path") from None
        missing = sorted(name for name in shards if not (folder / name).is_file())
        if missing:
            raise Invalid(f"{missing[0]} is missing: the index names {len(shards)} files. Add all of them.", "path")
    if not any((folder / name).is_file() for name in _PROCESSORS):
        raise Invalid("preprocessor_config.json is missing. It says how pictures are prepared; add it.", "path")
    for file in sorted(folder.glob("*.safetensors")):
        if name := _not_finite(file):
            raise Invalid(f"{file.name} holds numbers that are not finite, in {name}. Copy it again.", "path")


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
