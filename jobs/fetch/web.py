"""Downloads one file from a web address: streamed, every redirect checked, within the limits of size and rate.

An interrupted download continues where it was, at once and at the next call, if the server supports that.
"""

import os
import re
import time
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

from jobs.fetch.partial_file import PartialFile
from jobs.fetch.report import Problem, Progress
from orchestrator.domain.numbers import parse_number
from orchestrator.services.url_safety import http_problem

MAX_REDIRECTS = 5
MAX_ATTEMPTS, PAUSE_S = 4, 0.5
"""Attempts that bring something, before the fetch fails; the pause between them."""
_ENDINGS = {
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


class _Interrupted(Problem):
    """The connection ended before the file did."""


def fetch_url(
    url: str, folder: Path, progress: Progress, timeout_s: float, allow_private: bool
) -> list[tuple[Path, str]]:
    """Downloads the file at `url` into `folder`: [(file, its name)]. An earlier call is continued.

    Args:
        timeout_s: how long the server may be silent.
        allow_private: whether a redirect may lead to a private address.

    Raises:
        Problem: a sentence. httpx.HTTPError, OSError: the connection or the disk.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        before = PartialFile(folder).size
        try:
            return [_fetch(url, PartialFile(folder), progress, timeout_s, allow_private)]
        except (_Interrupted, httpx.TransportError):
            if PartialFile(folder).size <= before:
                raise
        time.sleep(PAUSE_S)
    return [_fetch(url, PartialFile(folder), progress, timeout_s, allow_private)]


def _fetch(
    first_url: str, partial: PartialFile, progress: Progress, timeout_s: float, allow_private: bool
) -> tuple[Path, str]:
    url = first_url
    timeout = httpx.Timeout(timeout_s, connect=min(10.0, timeout_s))
    headers = {"Accept-Encoding": "identity", "User-Agent": "Loreel"}
    with httpx.Client(timeout=timeout, trust_env=False, headers=headers) as client:
        for _ in range(MAX_REDIRECTS + 1):
            with client.stream("GET", url, headers=partial.request_headers()) as answer:
                if answer.has_redirect_location:
                    url = str(answer.next_request.url) if answer.next_request else ""
                    if problem := http_problem(url, allow_private):
                        raise Problem(f"It was redirected. {problem}")
                    continue
                changed = answer.status_code == 416 or (
                    answer.status_code == 206 and not partial.is_continued_by(answer)
                )
                if partial.size and changed:
                    partial.delete()  # it is another file by now: the next request is for all of it
                    continue
                media_type = _save(answer, first_url, partial, progress)
                complete = partial.path.with_name("0")
                os.replace(partial.path, complete)
                return complete, _file_name(answer, url, media_type)
    raise Problem(f"It was redirected more than {MAX_REDIRECTS} times. Give the address it leads to.")


def _save(answer: httpx.Response, url: str, partial: PartialFile, progress: Progress) -> str:
    """Appends the answer's bytes to the file; their media type."""
    if answer.status_code != 200 and not (answer.status_code == 206 and partial.size):
        raise Problem(_refusal(answer.status_code))
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("text/html", "application/xhtml+xml"):
        raise Problem("This address answers with a web page, not with a file. Give the address of the file itself.")
    if answer.status_code == 200:
        partial.delete()
    total = parse_number(answer.headers.get("content-length", "")) or 0
    progress.total = partial.total if answer.status_code == 206 else total
    progress.check_total()
    with partial.open_for(url, answer, total) as file:
        progress.resume_at(partial.size)
        for block in answer.iter_raw():  # as it comes: blocks of a fixed size would wait endlessly for a slow sender
            progress.add(len(block))
            file.write(block)
    if progress.total and progress.done != progress.total:
        raise _Interrupted(f"The download broke off after {progress.done:,} of {progress.total:,} bytes. Try again.")
    if not progress.done:
        raise Problem("The file at this address is empty.")
    return media_type


def _file_name(answer: httpx.Response, url: str, media_type: str) -> str:
    """The name that the server gives, or the address has, with an ending for its media type."""
    given = re.search(
        r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", answer.headers.get("content-disposition", ""), re.IGNORECASE
    )
    path = given[1] if given else urlsplit(url).path
    name = PurePosixPath(unquote(path).replace("\\", "/")).name or "download"
    return name if PurePosixPath(name).suffix or media_type not in _ENDINGS else name + _ENDINGS[media_type]


def _refusal(status: int) -> str:
    if status in (401, 403):
        return f"The server asks for a login ({status}). Give an address that anybody may read."
    if status in (404, 410):
        return f"There is nothing at this address ({status}). Check it for typing mistakes."
    return f"The server answered with {status} instead of the file. Try again later."
