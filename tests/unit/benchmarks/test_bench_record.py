"""benchmarks/history.jsonl: every line is valid, new lines are appended whole, and a run records what it ran on."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from benchmarks import catalog, machine, measurements, runner, table
from benchmarks.measurements import HISTORY, Measurement, append_history, load_history
from benchmarks.target import Unavailable
from benchmarks.units import unit_of

STARTED = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty history and a README of their own; the machine is quiet; `start` gives two figures."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\n{table.END}\nafter\n")
    monkeypatch.setattr(measurements, "HISTORY", tmp_path / "history.jsonl")
    monkeypatch.setattr(table, "README", readme)
    monkeypatch.setattr(runner, "load_average", lambda: 0.1)
    bench = SimpleNamespace(run=lambda: {"warm_s": 1.5, "changed_s": 70.0})
    monkeypatch.setitem(sys.modules, "benchmarks.start", bench)
    for name in ("LOREEL_BENCH_TABS", "LOREEL_CHAOS_MINUTES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "history.jsonl"


def test_the_shipped_record_is_valid() -> None:
    history = load_history()
    assert {each.bench for each in history} == set(catalog.names())
    assert [each for each in history if each.unit != unit_of(each.figure)] == []
    assert HISTORY.read_text().endswith("\n")


def test_a_measurement_says_something() -> None:
    fields = {
        "date": "2026-11-26",
        "bench": "gpu",
        "figure": "x",
        "unit": "x",
        "quiet": None,
        "machine": "",
        "commit": "",
    }
    assert Measurement.model_validate(fields | {"value": None, "note": "no GPU"}).is_standard is False
    for wrong in ({"value": None}, {"value": 1.0, "date": "today"}, {"value": 1.0, "speed": 1}):
        with pytest.raises(ValidationError):
            Measurement.model_validate(fields | wrong)


def test_concurrent_runs_write_complete_lines(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    runs = [runner.measurements("start", {f"figure_{i}_{n}_s": n for n in range(50)}, STARTED, 0.1) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda run: append_history(run, path), runs))
    written = [each.figure for each in load_history(path)]
    assert sorted(written) == sorted(each.figure for run in runs for each in run)
    # One write a run: no line of another run stands between two of one run.
    assert [name.split("_")[1] for name in written][::50] == [name.split("_")[1] for name in written][49::50]


def test_a_run_is_appended_and_shown_in_the_readme(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["start"]) == 0
    assert runner.main(["start"]) == 0
    written = lines_of(record)
    assert [line["figure"] for line in written] == ["warm_s", "changed_s"] * 2
    assert written[0] | {"date": "", "machine": "", "commit": ""} == {
        "date": "", "bench": "start", "figure": "warm_s", "value": 1.5, "unit": "s", "quiet": True, "load": 0.1,
        "machine": "", "commit": "",
    }  # fmt: skip
    assert written[0]["machine"] == machine.describe_machine()
    assert "| 1.5 s |" in table.README.read_text()
    assert table.README.read_text().startswith("before\n")
    assert table.README.read_text().endswith("after\n")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["figures"] == {"warm_s": 1.5, "changed_s": 70.0}
    assert last["ok"] is False


def test_no_history_records_nothing(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["start", "--no-history"]) == 0
    assert runner.main(["--no-history", "start"]) == 0
    assert not record.exists()
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["bench"] == "start"


def test_a_busy_machine_is_recorded_as_loaded(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "load_average", lambda: 3.0 * machine.core_count())
    assert runner.main(["start"]) == 0
    assert {line["quiet"] for line in lines_of(record)} == {False}
    assert "not quiet" in capsys.readouterr().err
    assert "1.5 s, under load" in table.README.read_text()


def test_a_run_with_other_settings_is_a_variant(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOREEL_BENCH_TABS", "40")
    assert runner.main(["start"]) == 0
    assert {line["variant"] for line in lines_of(record)} == {"LOREEL_BENCH_TABS=40"}
    assert "| 1.5 s" not in table.README.read_text()


def test_what_cannot_be_measured_here_is_not_recorded(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> dict[str, float]:
        raise Unavailable("no GPU")

    monkeypatch.setitem(sys.modules, "benchmarks.start", SimpleNamespace(run=run))
    assert runner.main(["start"]) == 0
    assert not record.exists()


def test_a_folder_that_cannot_be_written_costs_the_record_only(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measurements, "HISTORY", record / "missing" / "history.jsonl")
    assert runner.main(["start"]) == 0
    streams = capsys.readouterr()
    assert json.loads(streams.out.splitlines()[-1])["bench"] == "start"
    assert "not recorded" in streams.err


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["nothing"], ["l"], ["start", "live"]):
        assert runner.main(wrong) == 1
        assert "there are: audit, bundle, cache-cliff" in capsys.readouterr().err


def test_the_machine_is_described() -> None:
    assert f", {machine.core_count()} cores, " in machine.describe_machine()
    assert machine.is_idle(machine.QUIET_LOAD_PER_CORE * machine.core_count())
    assert not machine.is_idle(machine.QUIET_LOAD_PER_CORE * machine.core_count() + 0.1)
