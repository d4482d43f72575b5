"""Work that waits for the database: again until it answers, one line of log, and an end when it must end."""

import pytest
import structlog
from sqlalchemy.exc import IntegrityError, OperationalError

from orchestrator.services import db
from orchestrator.services.db import when_available, why_away
from tests.outages import ERRORS


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_it_waits_and_says_so_once(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    tries = []

    def act() -> str:
        tries.append(1)
        if len(tries) < 5:
            raise error
        return "done"

    with structlog.testing.capture_logs() as logged:
        assert when_available(act) == "done"
    assert len(tries) == 5
    assert [line["event"] for line in logged] == ["database.away"]
    assert "\n" not in logged[0]["error"]


def test_other_errors_pass() -> None:
    def act() -> None:
        raise IntegrityError("INSERT", {}, Exception("duplicate key"))

    with pytest.raises(IntegrityError):
        when_available(act)


def test_it_gives_up_where_it_must_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_RETRY_S", 0.01)

    def act() -> None:
        raise ERRORS[0]

    with pytest.raises(OperationalError):
        when_available(act, lambda waited_s: waited_s > 0.05)


def test_the_reason_is_one_line() -> None:
    error = OperationalError("SELECT 1", {}, Exception("server closed the connection\n\tThis probably means"))
    assert why_away(error) == "server closed the connection"
