"""Keeps one cause from filling the log: a repeated record becomes one line a minute that says how often it came."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

WINDOW_S = 60.0
OWN_PER_WINDOW = 120
"""Records of one event of ours that are written a minute: each refusal of a busy hour, not each of a flood."""
_SINGLE = frozenset({"websocket.event_refused", "websocket.refused", "page.script_error"})
"""Events of ours that strangers can cause at will: one record a minute for each reason."""
_MOST_KEYS = 2_000
_OWN = ("orchestrator", "jobs")


@dataclass(slots=True)
class _Count:
    until: float
    written: int = 0
    dropped: int = 0


class RepeatFilter(logging.Filter):
    """Lets the first record of a cause through and counts the others of the same minute.

    A cause is the place in the code that logs and the kind of error; a library gets one record a minute for each,
    our own code more. The next record of that cause carries `repeated`: how many were left out before it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._lock = clock, threading.Lock()
        self._counts: dict[Hashable, _Count] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False: left out."""
        if record.levelno >= logging.CRITICAL:
            return True
        own = record.name.partition(".")[0] in _OWN or record.name == "root"
        _simplify(record)
        given = record.msg.get("exc_info") if isinstance(record.msg, dict) else record.exc_info
        kind = given[0] if isinstance(given, tuple) else type(given)
        event = record.msg.get("event") if isinstance(record.msg, dict) else None
        why = record.msg.get("why") if isinstance(record.msg, dict) else None
        key = (record.name, event or record.lineno, record.levelno, kind, why)
        now = self._clock()
        with self._lock:
            count = self._counts.get(key)
            if count is None or count.until <= now:
                left_out = count.dropped if count is not None else 0
                if len(self._counts) >= _MOST_KEYS:
                    self._counts.clear()
                self._counts[key] = _Count(now + WINDOW_S, 1)
                if left_out:
                    _note(record, left_out)
                return True
            if count.written < (OWN_PER_WINDOW if own and event not in _SINGLE else 1):
                count.written += 1
                return True
            count.dropped += 1
            return False


_PLAIN_MESSAGES = (
    ("Error processing event queue entry for", "An event names a handler that does not exist"),
    ("Attempting to send delta to disconnected client", "An update was for a tab that has gone"),
    ("Received event from session", "An event came from a session without a token"),
    ("Received event data as a string", "An event came as a string"),
    ("Failed to deserialize event data", "An event could not be read"),
    ("No token provided in connection", "A websocket came without a token"),
)
"""What Reflex writes with payload, headers or a tab's token in it, and what is written instead."""


def _simplify(record: logging.LogRecord) -> None:
    if isinstance(record.msg, str) and record.name.startswith("reflex"):
        for beginning, plain in _PLAIN_MESSAGES:
            if record.msg.startswith(beginning):
                record.msg, record.args, record.exc_info, record.exc_text = plain, (), None, None


def _note(record: logging.LogRecord, left_out: int) -> None:
    """Says in the record itself how many others there were."""
    if isinstance(record.msg, dict):
        record.msg = record.msg | {"repeated": left_out}
    else:
        record.msg = f"{record.getMessage()} (and {left_out} more like it before)"
        record.args = ()
