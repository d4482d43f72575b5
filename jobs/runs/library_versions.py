"""Which versions of the training libraries wrote a checkpoint, so that none is read by older ones.

A file that a newer torch or peft has written may be read wrongly by an older one, without an error. The versions are
noted in the checkpoint itself: they travel with it to another worker, and with a backup of the data folder.
"""

import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.version import InvalidVersion, Version

VERSIONS = "versions.json"
"""In a checkpoint: library -> version."""
_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes")


def installed_versions() -> dict[str, str]:
    """The versions of the training libraries here; those that are not installed are left out."""
    found = dict[str, str]()
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def newer_libraries(checkpoints: Iterable[Path]) -> list[str]:
    """What wrote one of the checkpoints and is older here, such as "torch 2.9.1 (here: 2.8.0)".

    Checkpoints of Loreel 0.1 name no versions. A library that is absent here cannot read wrongly: its use fails.
    """
    here = installed_versions()
    newer = dict[str, str]()
    for checkpoint in checkpoints:
        for name, written_by in _versions_of(checkpoint).items():
            if name in here and _is_newer(written_by, here[name]):
                newer[name] = f"{name} {written_by} (here: {here[name]})"
    return sorted(newer.values())


def _versions_of(checkpoint: Path) -> dict[str, str]:
    try:
        found = json.loads((checkpoint / VERSIONS).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _is_newer(one: str, other: str) -> bool:
    """By the release alone: builds of one version for other devices (`+cpu`) write the same files."""
    try:
        return Version(one).release > Version(other).release
    except InvalidVersion:
        return False
