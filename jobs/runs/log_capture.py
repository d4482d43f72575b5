"""Captures what a trainer prints: each line goes to the job's log and to open pages; the last ones explain a crash."""

import json
import os
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.domain.live_records import LogLevel
from orchestrator.redaction import redact_text
from orchestrator.services.live_events import publish_log

_LAST_LINES = 60
_MAX_CHARS = 4_000
_MAX_LINES_PER_SECOND = 200
_LEVELS: dict[str, LogLevel] = {
    "DEBUG": "debug",
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "CRITICAL": "error",
}


class RunLog:
    """Writes the job's `log.jsonl`: {t, level, message} a line, without the secrets that a library may print."""

    def __init__(self, path: Path, job_id: int, attempt: int) -> None:
        self._path, self._job_id, self._attempt = path, job_id, attempt
        self._lock = threading.Lock()
        self.last: deque[str] = deque(maxlen=_LAST_LINES)
        """The newest lines, for the report of a crash."""
        self._thread: threading.Thread | None = None

    def write(self, message: str, level: LogLevel = "info") -> None:
        """Appends a line and publishes it to open pages. A full disk is ignored: it must not end a training."""
        message = redact_text(message)
        line = {"t": datetime.now(UTC).isoformat(), "level": level, "message": message[:_MAX_CHARS]}
        try:
            with self._lock, self._path.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
        except OSError:
            return
        publish_log(self._job_id, self._attempt, level, line["message"])

    def follow(self, fd: int) -> None:
        """Starts a thread that reads a trainer's output to its end."""
        self._thread = threading.Thread(target=self._follow, args=(fd,), daemon=True, name="run-log")
        self._thread.start()

    def join(self, timeout: float = 2.0) -> None:
        """Waits until everything that was printed is written."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _follow(self, fd: int) -> None:
        second_began, lines_written = time.monotonic(), 0
        rest = b""
        while True:
            try:
                block = os.read(fd, 65_536)
            except OSError:
                block = b""
            *lines, rest = (rest + block).split(b"\n") if block else [rest, b""]
            for raw in lines:
                text = raw.decode(errors="replace").rsplit("\r", 1)[-1].rstrip()
                if not text:
                    continue
                self.last.append(redact_text(text))
                if time.monotonic() - second_began > 1.0:
                    second_began, lines_written = time.monotonic(), 0
                lines_written += 1
                if lines_written <= _MAX_LINES_PER_SECOND:
                    level, message = level_of(text)
                    self.write(message, level)
            if not block:
                return


def level_of(text: str) -> tuple[LogLevel, str]:
    """(level, message) of a printed line: the trainer prints `ERROR: ...`; of libraries the level is guessed."""
    head, colon, rest = text.partition(": ")
    if colon and head in _LEVELS:
        return _LEVELS[head], rest
    if "Error" in text[:200] or text.startswith("Traceback"):
        return "error", text
    return ("warning" if "warn" in text[:200].lower() else "info"), text
