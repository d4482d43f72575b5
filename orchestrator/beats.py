"""Beats of processes without a port: whether the loop of a worker or controller on this host still turns.

Each touches a file of its own every few seconds, also while Redis or the database is away: a restart brings neither
back. `./loreel health` reads them, as a probe of a container or of monitoring.
"""

import contextlib
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from orchestrator.settings import get_settings

LIMIT_S = 120.0
"""A loop that has not turned for so long hangs; a database that does not answer delays it by less."""


class Beat:
    """The beats of this process."""

    def __init__(self, kind: str) -> None:
        """`kind`: controller, worker or prep."""
        self._path = _folder() / f"{kind}-{os.getpid()}"

    def touch(self) -> None:
        """The loop turns. A full disk or a foreign folder is ignored: it must not end a training."""
        # The monotonic clock, which all processes of a host share, as the file's time: no change of the date matters.
        now = time.monotonic()
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.touch(mode=0o600)
            os.utime(self._path, (now, now))

    def end(self) -> None:
        """The process ends in order."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Beating:
    """A process of this host, and how long ago it beat."""

    kind: str
    pid: int
    silent_s: float

    @property
    def is_well(self) -> bool:
        return self.silent_s <= LIMIT_S


def read_beats() -> list[Beating]:
    """The living processes of this installation on this host; what killed ones left is removed."""
    found = list[Beating]()
    for path in sorted(_folder().glob("*-*")):
        kind, _, number = path.name.rpartition("-")
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int(number)):
                path.unlink()
                continue
            found.append(Beating(kind, int(number), max(0.0, time.monotonic() - path.stat().st_mtime)))
    return found


def _folder() -> Path:
    """On this host's own disk: the data folder may be shared by many hosts, or not answer."""
    installation = hashlib.sha256(str(get_settings().data_dir).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"loreel-beats-{os.getuid()}-{installation}"
