"""Reads a base's weights from the safetensors files of its folder and nothing else: no network, no pickle, no code."""

import json
import re
from pathlib import Path
from typing import Any

from jobs.families.protocol import Base
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.services.models.inspect import weight_files

_COMMON: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|h|resblocks)\.\d+\.")
_OPTIONAL = re.compile(r"(?:^|\.)(?:pooler|predictor|decoder_layers)\.")
"""Parts that a checkpoint may lack: a run initializes them, or does not use them."""


def read_weights(model_class: Any, base: Base, **options: Any) -> Any:
    """`model_class.from_pretrained(base.folder, ...)`.

    Raises:
        Invalid: the files do not fit the config, or a block of the base is missing from them.
    """
    return read_weights_with_report(model_class, base, **options)[0]


def read_weights_with_report(model_class: Any, base: Base, **options: Any) -> tuple[Any, dict[str, Any]]:
    """As `read_weights`, with transformers' loading report: missing_keys, mismatched_keys, ...

    transformers fills weights that the files lack with random numbers; in a block of the base that would go unnoticed,
    so it is refused here.
    """
    try:
        weight_files(base.folder)
    except Invalid as error:  # they were complete when the model was added
        first = error.message.partition(". ")[0].removesuffix(".")
        raise Invalid(f"The base model could not be loaded: {first}. Register it again.") from error
    try:
        model, report = model_class.from_pretrained(base.folder, output_loading_info=True, **_COMMON, **options)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        first = first.replace(str(base.folder), "its folder")
        raise Invalid(f"The base model could not be loaded: {first[:300]} Register it again.") from error
    absent = [
        key if isinstance(key, str) else key[0] for name in ("missing", "mismatched") for key in report[f"{name}_keys"]
    ]
    if absent := sorted(name for name in absent if _BLOCK.search(name) and not _OPTIONAL.search(name)):
        raise Invalid(
            f"The weights are not those of config.json: {len(absent):,} tensors are missing or of another size, "
            f"such as {absent[0][:200]}. Add the model again with its own config.json."
        )
    return model, report


def check_weights_fit(model_class: str, base: Base) -> None:
    """Checks names and shapes of the files' tensors against the class of transformers; reads no weights.

    Raises:
        Invalid: they do not fit.
    """
    import transformers

    try:
        read_weights(getattr(transformers, model_class), base, device_map="meta", ignore_mismatched_sizes=True)
    except (AppError, MemoryError):
        raise
    except Exception as error:  # with a wrong config transformers may fail anywhere
        raise Invalid(f"config.json does not describe a model ({type(error).__name__}). Copy it again.") from error


def enable_generation_cache(folder: Path) -> None:
    """Removes `use_cache: false` from a saved config: training turns the key-value cache off, generation needs it."""
    path = folder / "config.json"
    if path.exists():
        config = json.loads(path.read_text())
        config.pop("use_cache", None)
        for part in ("decoder", "text_config"):
            config.get(part, {}).pop("use_cache", None)
        path.write_text(json.dumps(config, indent=2) + "\n")
