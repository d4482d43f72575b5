"""The one configuration of logging for every process: structlog and the standard library through the same filters.

For people each record is a line on stderr, with a plain traceback that never shows the values of variables; with
`LOREEL_LOG_FORMAT=json` it is a JSON object. Secrets are taken out of every record, of libraries too. stdout stays
free: some processes answer there.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from orchestrator.log_limits import RepeatFilter
from orchestrator.redaction import redact
from orchestrator.settings import get_settings

MAX_TRACEBACK_CHARS = 8_000
MAX_VALUE_CHARS = 2_000
_MAX_REDACTED_CHARS = 40_000
"""A longer text is cut before secrets are searched in it, so that no record costs more than milliseconds."""
_LAST_FRAMES = 30
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127) if code != 10}

_process_values: dict[str, Any] = {}


def bind_process(**values: Any) -> None:
    """Adds values to every record of this process from now on (its worker, its job and attempt), in all threads."""
    _process_values.update(values)


def configure_logging(process: str) -> None:
    """Sends every record of this process through the same filters to stderr. Safe to call again.

    The trainer has no part in it: what it prints is its job's log, in which `jobs.runs.log_capture` redacts.

    Args:
        process: the name that JSON records carry: web, controller, worker, prep, playground.
    """
    settings = get_settings()
    _process_values["process"] = process
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_process_values,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last = structlog.processors.JSONRenderer(default=str) if settings.log_format == "json" else _as_line
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[_format_exception, structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact, last],
    )
    handler = _Handler()
    handler.setFormatter(formatter)
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not _writes_to_a_terminal(other)]
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    take_over_loggers()
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


_LEVELS = {
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "engineio": logging.WARNING,
    "socketio": logging.WARNING,
    "alembic": logging.WARNING,
    "urllib3": logging.WARNING,
    "botocore": logging.WARNING,
    "multipart": logging.WARNING,
    "bitsandbytes": logging.ERROR,
    "tensorboard": logging.ERROR,
    "granian.access": logging.WARNING,
}
"""Libraries whose debug records are not needed here."""


def take_over_loggers() -> None:
    """Removes the terminal handlers that libraries gave their own loggers, so that their records come to ours.

    Call it again after importing a library that makes its own (transformers does).
    """
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger) and any(map(_writes_to_a_terminal, logger.handlers)):
            logger.handlers = [other for other in logger.handlers if not _writes_to_a_terminal(other)]
            logger.propagate = True


class _Handler(logging.StreamHandler):
    """Ours, on what stderr is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # pyright: ignore[reportIncompatibleVariableOverride] (as logging's own last resort does)
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:
        """A record that cannot be written is dropped: Python would print it with its values."""


def _writes_to_a_terminal(handler: logging.Handler) -> bool:
    if type(handler).__module__ == "reflex_base.utils.log":
        return type(handler).__name__ in ("RichConsoleHandler", "JsonHandler")
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return isinstance(handler, _Handler) or (
        isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
        and any(handler.stream is stream for stream in streams)
    )


def _add_process_values(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for key, value in _process_values.items():
        event.setdefault(key, value)
    return event


def _redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {
        key: _shorten(redact(_shorten(value, _MAX_REDACTED_CHARS), key), _most_chars(key))
        for key, value in event.items()
    }


def _most_chars(key: str) -> int:
    return MAX_TRACEBACK_CHARS if key == "exception" else MAX_VALUE_CHARS


def _shorten(value: Any, most: int) -> Any:
    """The beginning and the end of a long text: what happened stands first, the error of a traceback last."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, dict | list) else ""
    if len(text) <= most:
        return value
    return f"{text[: most // 5]}\n[...]\n{text[-(most - most // 5) :]}"


def _format_exception(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    record = event.get("_record")
    if record is not None and given is None:
        given = record.exc_info
    if given:
        event["exception"] = format_traceback(given)
    return event


def format_traceback(given: Any) -> str:
    """The last frames of a traceback and of its causes, without the values of variables."""
    found: ExcInfo | BaseException | None = None
    if isinstance(given, BaseException):
        found = given
    elif isinstance(given, tuple) and len(given) == 3:
        found = given[1]
    elif given:
        found = sys.exc_info()[1]
    if not isinstance(found, BaseException):
        return ""
    lines = traceback.TracebackException.from_exception(
        found, limit=-_LAST_FRAMES, capture_locals=False, compact=True
    ).format()
    return "".join(lines).rstrip()


def _as_line(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """A record for people: time, level, what happened, its values, and the traceback below it."""
    what = str(event.pop("event", "")).translate(_CONTROLS).replace("\n", "\n    ")
    level, time = str(event.pop("level", "info")), str(event.pop("timestamp", ""))[:19]
    exception = str(event.pop("exception", "")).translate(_CONTROLS)
    values = " ".join(f"{key}={_plain(value)}" for key, value in event.items() if key not in ("process", "logger"))
    line = f"{time}Z {level:<7} {what} {values}".rstrip()
    return f"{line}\n{exception}" if exception else line


def _plain(value: Any) -> str:
    text = str(value)
    return text if text and text.isprintable() and " " not in text else repr(text)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("orchestrator").critical("uncaught_error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
        name = given.thread.name if given.thread else ""
        values = (given.exc_type, given.exc_value, given.exc_traceback)
        logging.getLogger("orchestrator").error("uncaught_error_in_thread %s", name, exc_info=values)
