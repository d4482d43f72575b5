"""The durable copy of a run's records: `metrics.jsonl`, a line each, written at once and readable after any crash."""

import json
from pathlib import Path

from orchestrator.domain.live_records import RunRecord

_TAIL_BYTES = 65_536


class JsonlSink:
    """Appends records. A full disk does not end the training; the first failure is printed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._warned = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._end_cut_line()

    def put(self, record: RunRecord) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            if not self._warned:
                self._warned = True
                print(f"WARNING: measurements cannot be written to disk: {error.strerror}.", flush=True)  # noqa: T201

    def close(self) -> None:
        """Everything is written already."""

    def _end_cut_line(self) -> None:
        """Ends a line that a crash cut off, so that the next record is a line of its own."""
        if self._path.exists() and self._path.stat().st_size:
            with self._path.open("rb+") as file:
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")


def last_seq(path: Path) -> int:
    """The highest `seq` near the end of the file; 0 when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return 0
    newest = 0
    for line in lines:
        try:
            newest = max(newest, int(json.loads(line)["seq"]))
        except (ValueError, KeyError, TypeError):
            continue
    return newest
