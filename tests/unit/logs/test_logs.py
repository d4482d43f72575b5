"""One configuration for all records: bounded, quick, without the values of variables, in lines or as JSON."""

import json
import logging
import sys
import time
from collections.abc import Iterator

import pytest
import structlog

from orchestrator import logs
from orchestrator.log_limits import OWN_PER_WINDOW, RepeatFilter
from orchestrator.settings import get_settings

MARK = "MyRealPassw0rd-Z"


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Logging as a process of ours has it; afterwards as it was."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield monkeypatch
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.configure(**before)
    logs._process_values.clear()
    get_settings.cache_clear()


def start(monkeypatch: pytest.MonkeyPatch, style: str = "console") -> None:
    monkeypatch.setenv("LOREEL_LOG_FORMAT", style)
    get_settings.cache_clear()
    logs.configure_logging("web")


def deep(entered: str, depth: int) -> None:
    """Fails far down, with a password in every frame under a name that no filter knows."""
    if depth:
        deep(entered, depth - 1)
    else:
        raise RuntimeError("It broke.")


def test_an_unexpected_error_is_one_bounded_record_without_locals(
    configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start(configured)
    with pytest.raises(RuntimeError) as caught:
        deep(MARK, 200)
    began = time.process_time()
    structlog.get_logger("orchestrator.test").error("unexpected", exc_info=caught.value)
    took = time.process_time() - began
    written = capsys.readouterr().err
    assert took < 5
    assert len(written) < 10_000
    assert "RuntimeError: It broke." in written
    assert MARK not in written


def test_a_huge_message_is_cut(configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    start(configured)
    began = time.process_time()
    try:
        raise ValueError("x" * 5_000_000 + f" password={MARK}")
    except ValueError:
        structlog.get_logger("orchestrator.test").exception("unexpected", body="y" * 1_000_000)
    assert time.process_time() - began < 5
    written = capsys.readouterr().err
    assert len(written) < 12_000
    assert MARK not in written


def test_libraries_go_through_the_same_filters(
    configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = logging.getLogger("some_library")
    own.addHandler(logging.StreamHandler(sys.stderr))
    own.propagate = False
    start(configured)
    own.warning("connecting to redis://:%s@localhost", MARK)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "redis://[redacted]@localhost" in lines[0]


def test_json_records_have_their_fields(configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    start(configured, "json")
    logs.bind_process(worker="host-cpu")
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger("orchestrator.test").warning("refused", status=422, token=MARK)
        logging.getLogger("library").warning("Something %s", "happened")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["event"] == "refused"
    assert (first["level"], first["process"], first["worker"], first["request_id"], first["status"]) == (
        "warning", "web", "host-cpu", "abc", 422,
    )  # fmt: skip
    assert first["token"] == "[redacted]"
    assert (second["event"], second["request_id"], second["logger"]) == ("Something happened", "abc", "library")


def test_a_line_cannot_be_forged(configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    start(configured)
    structlog.get_logger("orchestrator.test").warning("refused", name="a\n2026-01-01 info forged \x1b[2J")
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written


def record(name: str, message: str, lineno: int = 1) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "f.py", lineno, message, (), None)


def test_a_library_gets_one_line_a_minute_for_each_cause() -> None:
    now = [0.0]
    limit = RepeatFilter(lambda: now[0])
    assert [limit.filter(record("reflex.app", f"n {i}")) for i in range(100)].count(True) == 1
    assert limit.filter(record("reflex.app", "another place", lineno=2))
    now[0] = 61.0
    later = record("reflex.app", "again")
    assert limit.filter(later)
    assert "99 more" in later.getMessage()


def test_our_own_refusals_are_bounded_too() -> None:
    limit = RepeatFilter(lambda: 0.0)
    made = [logging.LogRecord("orchestrator.api", 20, "f.py", 1, {"event": "refused"}, (), None) for _ in range(500)]
    assert [limit.filter(one) for one in made].count(True) == OWN_PER_WINDOW


def test_what_strangers_cause_at_will_gets_one_line_a_minute_for_each_reason() -> None:
    limit = RepeatFilter(lambda: 0.0)
    events = [{"event": "websocket.event_refused", "why": why} for why in ("unknown_handler", "too_many") * 100]
    made = [logging.LogRecord("orchestrator.websocket", 20, "f.py", 1, one, (), None) for one in events]
    assert [limit.filter(one) for one in made].count(True) == 2


def test_what_reflex_says_of_events_holds_no_payload() -> None:
    message = f"Error processing event queue entry for Event(payload={{'0': '{MARK}'}}, headers={{'cookie': 'x'}})"
    one = record("reflex_base.event.processor.event_processor", message)
    assert RepeatFilter().filter(one)
    assert MARK not in one.getMessage()
    other = record("reflex.app", f"Attempting to send delta to disconnected client '{MARK}'")
    assert RepeatFilter().filter(other)
    assert MARK not in other.getMessage()
