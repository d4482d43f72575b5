"""Which release of Loreel this is, and which one has written a data folder: an older one must not open it."""

import os
from pathlib import Path

from packaging.version import InvalidVersion, Version

RELEASE = "0.1.0"
_FILE = "release"


class NewerData(Exception):
    """A newer release has written the data folder. The message is a sentence for the operator."""


def check_release(data_dir: Path) -> None:
    """Raises NewerData when a newer release than this one has written the folder; changes nothing."""
    written_by = _written_by(data_dir)
    if written_by is not None and written_by > Version(RELEASE):
        raise NewerData(
            f"The data folder {data_dir} was written by Loreel {written_by}, and this is {RELEASE}: "
            "start that version, or restore a backup made before the upgrade. Nothing was changed."
        )


def note_release(data_dir: Path) -> None:
    """Records that this release has written the folder; never an older one than is recorded."""
    written_by = _written_by(data_dir)
    if written_by is None or written_by < Version(RELEASE):
        part = data_dir / f".{_FILE}.part"
        part.write_text(f"{RELEASE}\n")
        os.replace(part, data_dir / _FILE)


def _written_by(data_dir: Path) -> Version | None:
    """None where nothing is recorded, as by 0.1, or nothing that can be read."""
    try:
        return Version((data_dir / _FILE).read_text().strip())
    except (OSError, UnicodeDecodeError, InvalidVersion):
        return None
