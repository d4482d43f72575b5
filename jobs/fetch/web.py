"""Downloads one file from a web address: streamed, each redirect looked at anew, never more or slower than allowed.

Where the line breaks it goes on from there, at once and at the next call, if the server says that it can.
"""

import os
import re
import time
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

from jobs.fetch.part import Part
from jobs.fetch.report import Problem, Progress
from orchestrator.domain.numbers import parse_number
from orchestrator.services.url_safety import http_problem

MAX_REDIRECTS = 5
LINES, REST_S = 4, 0.5
"""How many lines may break before a person is asked; the pause before the next one."""
_KINDS = {
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/x-tar": ".tar",
    "application/gzip": ".tar.gz",
    "application/x-gzip": ".tar.gz",
}


class _BrokenOff(Problem):
    """The line ended before the file did."""


def fetch_url(
    url: str, folder: Path, progress: Progress, patience_s: float, allow_private: bool
) -> list[tuple[Path, str]]:
    """Writes what `url` answers into `folder`: [(file, its name)]; what an earlier call left there is gone on from.

    Raises:
        Problem: a sentence. httpx.HTTPError, OSError: the line or the disk.
    """
    for _ in range(LINES - 1):
        before = Part(folder).begun
        try:
            return [_fetch(url, Part(folder), progress, patience_s, allow_private)]
        except (_BrokenOff, httpx.TransportError):
            if Part(folder).begun <= before:
                raise
        time.sleep(REST_S)
    return [_fetch(url, Part(folder), progress, patience_s, allow_private)]


def _fetch(wanted: str, part: Part, progress: Progress, patience_s: float, allow_private: bool) -> tuple[Path, str]:
    url = wanted
    timeout = httpx.Timeout(patience_s, connect=min(10.0, patience_s))
    headers = {"Accept-Encoding": "identity", "User-Agent": "Loreel"}
    with httpx.Client(timeout=timeout, trust_env=False, headers=headers) as client:
        for _ in range(MAX_REDIRECTS + 1):
            with client.stream("GET", url, headers=part.asks()) as answer:
                if answer.has_redirect_location:
                    url = str(answer.next_request.url) if answer.next_request else ""
                    if problem := http_problem(url, allow_private):
                        raise Problem(f"It was redirected. {problem}")
                    continue
                other = answer.status_code == 416 or (answer.status_code == 206 and not part.fits(answer))
                if part.begun and other:
                    part.forget()  # another file by now: asked for anew, from its start
                    continue
                kind = _save(answer, wanted, part, progress)
                whole = part.path.with_name("0")
                os.replace(part.path, whole)
                return whole, _name(answer, url, kind)
    raise Problem(f"It was redirected more than {MAX_REDIRECTS} times. Give the address it leads to.")


def _save(answer: httpx.Response, wanted: str, part: Part, progress: Progress) -> str:
    """Writes the answer's bytes into the part; their kind."""
    if answer.status_code != 200 and not (answer.status_code == 206 and part.begun):
        raise Problem(_refusal(answer.status_code))
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise Problem("This address answers with a web page, not with a file. Give the address of the file itself.")
    if answer.status_code == 200:
        part.forget()
    total = parse_number(answer.headers.get("content-length", "")) or 0
    progress.total = part.total if answer.status_code == 206 else total
    progress.check_total()
    with part.opened(wanted, answer, total) as file:
        progress.go_on_from(part.begun)
        for block in answer.iter_raw():  # as it comes: a block of a set size would wait for a slow sender for ever
            progress.add(len(block))
            file.write(block)
    if progress.total and progress.done != progress.total:
        raise _BrokenOff(f"The download broke off after {progress.done:,} of {progress.total:,} bytes. Try again.")
    if not progress.done:
        raise Problem("The file at this address is empty.")
    return kind


def _name(answer: httpx.Response, url: str, kind: str) -> str:
    """The file's name by the server's words or the address, with an ending that fits its kind."""
    said = re.search(
        r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", answer.headers.get("content-disposition", ""), re.IGNORECASE
    )
    name = PurePosixPath(unquote(said[1] if said else urlsplit(url).path).replace("\\", "/")).name or "download"
    return name if PurePosixPath(name).suffix or kind not in _KINDS else name + _KINDS[kind]


def _refusal(status: int) -> str:
    if status in (401, 403):
        return f"The server asks for a login ({status}). Give an address that anybody may read."
    if status in (404, 410):
        return f"There is nothing at this address ({status}). Check it for typing mistakes."
    return f"The server answered with {status} instead of the file. Try again later."
