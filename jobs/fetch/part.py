"""What has arrived of a file whose line broke, and the server's word by which it is known to be still the same file."""

import fcntl
import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

import httpx

from orchestrator.services.datasets.files import FETCHED_PART, PART_NOTE


class Part:
    """One file in `folder`, whole or not; a note beside it, where a later try can go on with it."""

    def __init__(self, folder: Path) -> None:
        self.path, self._note = folder / FETCHED_PART, folder / PART_NOTE
        self.validator, self.total, self.begun = "", 0, 0
        try:
            said = json.loads(self._note.read_text())
            with self.path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (OSError, ValueError):
            return  # none, or a child of a worker that fell silent still writes to it
        self.validator, self.total = said["validator"], said["total"]
        # Of a whole file the last byte is asked for once more: so the server says whether it is the same.
        self.begun = min(self.path.stat().st_size, self.total - 1)

    def asks(self) -> dict[str, str]:
        """Headers that ask for the rest, or for all where the file is another one by now (RFC 9110, 13.1.5)."""
        return {"Range": f"bytes={self.begun}-", "If-Range": self.validator} if self.begun else {}

    def fits(self, answer: httpx.Response) -> bool:
        """Whether a 206 is the very rest that was asked for."""
        span = f"bytes {self.begun}-{self.total - 1}/{self.total}"
        return validator(answer) in ("", self.validator) and answer.headers.get("content-range") == span

    def opened(self, url: str, answer: httpx.Response, total: int) -> BinaryIO:
        """To be written behind what is here, which is nothing for an answer with all of it."""
        if answer.status_code != 206:
            self.validator, self.total = validator(answer), total
            if self.validator and total:
                self._note.write_text(json.dumps({"source": url, "validator": self.validator, "total": total}))
        file = self.path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(self.begun)
        return file

    def forget(self) -> None:
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.validator, self.total, self.begun = "", 0, 0


def validator(answer: httpx.Response) -> str:
    """What If-Range may carry: a strong ETag, or a date of change that is older than the answer; else ""."""
    if answer.headers.get("etag", "").startswith('"'):
        return answer.headers["etag"]
    changed, now = answer.headers.get("last-modified", ""), answer.headers.get("date", "")
    try:
        return changed if parsedate_to_datetime(changed) < parsedate_to_datetime(now) else ""
    except (TypeError, ValueError):
        return ""
