"""Imports, the demo and work on adapters while the database is away: nothing is cancelled, nothing fails for it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.adapters import operations as adapter_operations
from jobs.datasets import demo, ingest
from jobs.datasets.ingest import ImportGuard
from orchestrator.domain.adapters import OperationKind
from orchestrator.services import db
from orchestrator.services.datasets.demo import demo_folder
from tests.outages import ERRORS, DatabaseOutage

AWAY = [pytest.param(error, id=type(error).__name__) for error in ERRORS]


@pytest.mark.parametrize("error", AWAY)
def test_an_import_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    outage = DatabaseOutage(monkeypatch, ingest, error)
    assert ImportGuard(1, cast("Any", SimpleNamespace(fenced=False)))()
    assert outage.asked == 1


@pytest.mark.parametrize("error", AWAY)
def test_the_demo_misses_a_report_and_is_filled_afterwards(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    outage = DatabaseOutage(monkeypatch, demo, error, fails=3)
    demo._Progress()(1, 2)
    demo_folder().mkdir(parents=True)
    (demo_folder() / "manifest.json").write_text(json.dumps([]))
    assert demo.run_demo() == "filled 0"
    assert outage.asked == 4


@pytest.mark.parametrize("error", AWAY)
def test_what_was_made_of_an_adapter_is_recorded_afterwards(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    tries: list[Any] = []

    def finish(*result: Any) -> None:
        tries.append(result)
        if len(tries) < 4:
            raise error

    work = SimpleNamespace(kind=OperationKind.MERGE, id=1)
    monkeypatch.setattr(adapter_operations.operations, "start_operation", lambda _id: (work, None))
    monkeypatch.setattr(adapter_operations.operations, "finish_operation", finish)
    monkeypatch.setattr(adapter_operations, "_merge", lambda *_: {"bytes": 3})
    assert adapter_operations.run_adapter_work(1) == "done"
    assert tries == [(1, {"bytes": 3})] * 4


@pytest.mark.parametrize("error", AWAY)
def test_an_outage_in_the_middle_fails_no_operation(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failed: list[Any] = []
    work = SimpleNamespace(kind=OperationKind.MERGE, id=1)

    def merge(*_: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(adapter_operations.operations, "start_operation", lambda _id: (work, None))
    monkeypatch.setattr(adapter_operations.operations, "fail_operation", lambda *what: failed.append(what))
    monkeypatch.setattr(adapter_operations, "_merge", merge)
    with pytest.raises(type(error)):  # the controller sends it again
        adapter_operations.run_adapter_work(1)
    assert failed == []
