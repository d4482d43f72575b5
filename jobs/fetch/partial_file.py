"""What has arrived of one file whose download was interrupted, with what identifies it as still the same file."""

import fcntl
import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

import httpx

from orchestrator.services.datasets.files import FETCHED_PART, PART_NOTE


class PartialFile:
    """One file in `folder`, complete or not, and a note about it if a later attempt can continue it.

    Attributes:
        validator: the ETag or date by which the server recognizes the content. total: the size of the complete file.
        size: bytes that are here and can be continued; 0: the download starts at the first byte.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self._note = folder / FETCHED_PART, folder / PART_NOTE
        self.validator, self.total, self.size = "", 0, 0
        try:
            note = json.loads(self._note.read_text())
            with self.path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (OSError, ValueError):
            return  # there is none, or a process of a lost worker still writes to it
        self.validator, self.total = note["validator"], note["total"]
        # Of a complete file the last byte is requested again: the answer shows whether it is still the same.
        self.size = min(self.path.stat().st_size, self.total - 1)

    def request_headers(self) -> dict[str, str]:
        """Headers that request the rest, or everything if the file is another one by now (RFC 9110, 13.1.5)."""
        return {"Range": f"bytes={self.size}-", "If-Range": self.validator} if self.size else {}

    def is_continued_by(self, answer: httpx.Response) -> bool:
        """Whether a 206 holds exactly the rest that was requested."""
        span = f"bytes {self.size}-{self.total - 1}/{self.total}"
        return validator(answer) in ("", self.validator) and answer.headers.get("content-range") == span

    def open_for(self, url: str, answer: httpx.Response, total: int) -> BinaryIO:
        """The file, to append the answer's bytes; a note for later attempts is written for a complete answer."""
        if answer.status_code != 206:
            self.validator, self.total = validator(answer), total
            if self.validator and total:
                self._note.write_text(json.dumps({"source": url, "validator": self.validator, "total": total}))
        file = self.path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(self.size)
        return file

    def delete(self) -> None:
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.validator, self.total, self.size = "", 0, 0


def validator(answer: httpx.Response) -> str:
    """What `If-Range` may carry: a strong ETag, or a modification date older than the answer; else ""."""
    if answer.headers.get("etag", "").startswith('"'):
        return answer.headers["etag"]
    changed, now = answer.headers.get("last-modified", ""), answer.headers.get("date", "")
    try:
        return changed if parsedate_to_datetime(changed) < parsedate_to_datetime(now) else ""
    except (TypeError, ValueError):
        return ""
