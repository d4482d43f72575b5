"""Keeps what a trainer prints: each line goes into the job's log and to the pages; the last ones explain a crash."""

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

_KEPT = 60
_MAX_CHARS = 4_000
_LINES_A_SECOND = 200
_LEVELS: dict[str, LogLevel] = {
    "DEBUG": "debug",
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "CRITICAL": "error",
}


class RunLog:
    """The job's `log.jsonl`, {t, level, message} a line; secrets that a library prints are taken out."""

    def __init__(self, path: Path, job_id: int, attempt: int) -> None:
        self._path, self._job_id, self._attempt = path, job_id, attempt
        self._lock = threading.Lock()
        self.last: deque[str] = deque(maxlen=_KEPT)
        self._thread: threading.Thread | None = None

    def write(self, message: str, level: LogLevel = "info") -> None:
        """Appends a line and sends it to the pages; a full disk ends no training."""
        message = redact_text(message)
        line = {"t": datetime.now(UTC).isoformat(), "level": level, "message": message[:_MAX_CHARS]}
        try:
            with self._lock, self._path.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
        except OSError:
            return
        publish_log(self._job_id, self._attempt, level, line["message"])

    def follow(self, fd: int) -> None:
        """Reads a trainer's output to its end, in a thread."""
        self._thread = threading.Thread(target=self._follow, args=(fd,), daemon=True, name="run-log")
        self._thread.start()

    def join(self, timeout: float = 2.0) -> None:
        """Waits until everything printed is written."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _follow(self, fd: int) -> None:
        window, sent = time.monotonic(), 0
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
                if time.monotonic() - window > 1.0:
                    window, sent = time.monotonic(), 0
                sent += 1
                if sent <= _LINES_A_SECOND:
                    level, message = level_of(text)
                    self.write(message, level)
            if not block:
                return


def level_of(text: str) -> tuple[LogLevel, str]:
    """(level, message): the trainer prints `ERROR: ...`; for what libraries print it is a guess from the words."""
    head, colon, rest = text.partition(": ")
    if colon and head in _LEVELS:
        return _LEVELS[head], rest
    if "Error" in text[:200] or text.startswith("Traceback"):
        return "error", text
    return ("warning" if "warn" in text[:200].lower() else "info"), text
