"""Runs `python -m jobs.fetch` and yields the messages that it reports."""

import json
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from orchestrator.services import sandbox
from orchestrator.services.fetching import FetchRequest
from orchestrator.services.sandbox import Tool

_SILENT_S = 90.0
"""Seconds without a message after which the process is killed; it reports several times a second."""
_POLL_S = 0.5


def fetch_messages(request: FetchRequest, should_continue: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """The messages of a fetching process, until it ends, stops reporting, or `should_continue` returns False.

    Each is one of (see `jobs/fetch/report.py`): {"done", "total"} in bytes, {"revision"} with them, {"url", "commit"}
    of a push, and at the end {"files"} or {"problem"}: a sentence. Closing the iterator ends the process.
    """
    child = sandbox.start(Tool.FETCH, home=Path(request.folder))
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(request.pack())
        child.stdin.close()
        yield from _messages(child.stdout.fileno(), should_continue)
    finally:
        sandbox.end(child)


def _messages(output: int, should_continue: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    rest, last_output = b"", time.monotonic()
    while should_continue():
        if select.select([output], [], [], _POLL_S)[0]:
            block = os.read(output, 2**16)
            if not block:
                yield {"problem": "Fetching ended unexpectedly. Try again."}
                return
            last_output = time.monotonic()
            *lines, rest = (rest + block).split(b"\n")
            yield from (json.loads(line) for line in lines)
        elif time.monotonic() - last_output > _SILENT_S:
            yield {"problem": "The server does not answer any more. Try again later."}
            return
