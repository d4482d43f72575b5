"""Reads a base's weights from its own folder of safetensors, and nothing else: no network, no pickle, no code."""

import json
from pathlib import Path
from typing import Any

from jobs.families.protocol import Base
from orchestrator.domain.errors import Invalid

_COMMON: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}


def read_weights(kind: Any, base: Base, **more: Any) -> Any:
    """`kind.from_pretrained(base.folder, ...)`.

    Raises:
        Invalid: the files do not fit the config.
    """
    try:
        return kind.from_pretrained(base.folder, **_COMMON, **more)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        first = first.replace(str(base.folder), "its folder")
        raise Invalid(f"The base model could not be loaded: {first[:300]} Register it again.") from error


def speak_fast(folder: Path) -> None:
    """Training goes without a cache of keys, and a base that was trained whole is written so; to speak it wants one."""
    path = folder / "config.json"
    if path.exists():
        said = json.loads(path.read_text())
        said.pop("use_cache", None)
        said.get("decoder", {}).pop("use_cache", None)
        path.write_text(json.dumps(said, indent=2) + "\n")
