"""Open pages see the records of a job's current attempt alone."""

from typing import Any

from orchestrator.domain.live_attempts import CurrentAttempts


def record(kind: str, attempt: int, **more: Any) -> Any:
    return {"job": 7, "attempt": attempt, "seq": 1, "t": "", "kind": kind, **more}


def status(word: str, attempt: int) -> Any:
    return record("status", attempt, status=word)


def test_a_fenced_attempt_is_not_shown() -> None:
    attempts = CurrentAttempts()
    assert attempts.accept(record("metric", 1))
    assert attempts.accept(record("metric", 2))
    for kind in ("metric", "progress", "samples", "note", "log"):
        assert not attempts.accept(record(kind, 1))
    assert attempts.accept(record("metric", 2))


def test_an_attempt_that_has_ended_is_not_shown_until_the_next_one_begins() -> None:
    attempts = CurrentAttempts()
    assert attempts.accept(status("running", 1))
    assert attempts.accept(status("lost", 1))
    assert attempts.accept(status("queued", 1))
    assert not attempts.accept(record("metric", 1))
    assert attempts.accept(status("starting", 2))
    assert attempts.accept(record("metric", 2))
    assert attempts.accept(status("queued", 1)), "a status only makes a page read the database"
    assert attempts.accept(record("metric", 2))


def test_other_records_and_other_jobs_pass() -> None:
    attempts = CurrentAttempts()
    attempts.accept(status("completed", 3))
    assert attempts.accept(record("system", 0))
    assert attempts.accept(record("noted", 3))
    assert attempts.accept({**record("metric", 1), "job": 8})  # pyright: ignore[reportArgumentType] - a record of any kind
