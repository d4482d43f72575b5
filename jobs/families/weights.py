"""Reads a base's weights from its own folder of safetensors, and nothing else: no network, no pickle, no code."""

import json
import re
from pathlib import Path
from typing import Any

from jobs.families.protocol import Base
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.services.models.inspect import weight_files

_COMMON: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|h|resblocks)\.\d+\.")
_FRESH = re.compile(r"(?:^|\.)(?:pooler|predictor|decoder_layers)\.")
"""What a checkpoint may come without: a run makes it anew, or never asks for it."""


def read_weights(kind: Any, base: Base, **more: Any) -> Any:
    """`kind.from_pretrained(base.folder, ...)`.

    Raises:
        Invalid: the files do not fit the config, or are not all the base's own.
    """
    return read_weights_with_report(kind, base, **more)[0]


def read_weights_with_report(kind: Any, base: Base, **more: Any) -> tuple[Any, dict[str, Any]]:
    """The same, with what transformers says of the names: missing_keys, mismatched_keys, ...

    transformers fills what the files lack with random numbers and goes on; in a block of the base nobody would notice.
    """
    try:
        weight_files(base.folder)
    except Invalid as error:  # they were there when it was added
        first = error.message.partition(". ")[0].removesuffix(".")
        raise Invalid(f"The base model could not be loaded: {first}. Register it again.") from error
    try:
        model, told = kind.from_pretrained(base.folder, output_loading_info=True, **_COMMON, **more)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        first = first.replace(str(base.folder), "its folder")
        raise Invalid(f"The base model could not be loaded: {first[:300]} Register it again.") from error
    lost = [
        key if isinstance(key, str) else key[0] for name in ("missing", "mismatched") for key in told[f"{name}_keys"]
    ]
    if lost := sorted(name for name in lost if _BLOCK.search(name) and not _FRESH.search(name)):
        raise Invalid(
            f"The weights are not those of config.json: {len(lost):,} tensors are missing or of another size, "
            f"such as {lost[0][:200]}. Add the model again with its own config.json."
        )
    return model, told


def check_weights_fit(kind: str, base: Base) -> None:
    """Holds names and sizes of the files against the class of transformers that reads them; loads no number.

    Raises:
        Invalid: they do not fit.
    """
    import transformers

    try:
        read_weights(getattr(transformers, kind), base, device_map="meta", ignore_mismatched_sizes=True)
    except (AppError, MemoryError):
        raise
    except Exception as error:  # a config that lies makes transformers stumble anywhere
        raise Invalid(f"config.json does not describe a model ({type(error).__name__}). Copy it again.") from error


def enable_generation_cache(folder: Path) -> None:
    """Training goes without a cache of keys, and a base that was trained whole is written so; to speak it wants one."""
    path = folder / "config.json"
    if path.exists():
        said = json.loads(path.read_text())
        said.pop("use_cache", None)
        said.get("decoder", {}).pop("use_cache", None)
        path.write_text(json.dumps(said, indent=2) + "\n")
