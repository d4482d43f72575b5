"""A probe asks controller and workers by an exit code: 0 while their loops turn, also without a database."""

import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from jobs.controller import loop
from jobs.telemetry.device import find_device
from jobs.worker import heartbeat
from jobs.worker.heartbeat import Heartbeat
from orchestrator import beats
from orchestrator.beats import Beat, read_beats
from orchestrator.stack import health
from tests.forked_processes import AnyProcess
from tests.outages import ERRORS, DatabaseOutage
from tests.studio import ROOT, start_controller, until

Processes = list[AnyProcess]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_process_that_beats_is_well(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beat = Beat("worker")
    beat.touch()
    assert health.main(["worker"]) == 0
    assert capsys.readouterr().out.startswith("worker       ok       last beat of process ")
    assert health.main([]) == 0
    assert health.main(["controller"]) == health.main(["worker", "controller"]) == 1
    assert "controller   none     not running on this host" in capsys.readouterr().out
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (*temporary.glob("*"), *temporary.glob("*/*"))]
    assert modes == [0o700, 0o600]
    beat.end()
    assert health.main(["worker"]) == health.main([]) == 1
    assert health.main(["web"]) == 2


def test_a_loop_that_no_longer_turns_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    beat = Beat("worker")
    beat.touch()
    long_ago = time.monotonic() - beats.LIMIT_S - 1.0
    os.utime(beat._path, (long_ago, long_ago))
    assert health.main(["worker"]) == 1
    assert "HANGS" in capsys.readouterr().out
    beat.touch()
    assert health.main(["worker"]) == 0


def test_what_a_killed_process_left_is_no_process() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    beat = Beat("worker")
    beat._path = beat._path.with_name(f"worker-{dead.pid}")
    beat.touch()
    assert health.main(["worker"]) == 1
    assert not beat._path.exists()


def test_a_folder_that_takes_no_file_ends_nothing(temporary: Path) -> None:
    (temporary / "file").touch()
    beat = Beat("worker")
    beat._path = temporary / "file" / "worker-1"
    beat.touch()
    beat.end()


def test_a_worker_beats_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    DatabaseOutage(monkeypatch, heartbeat, ERRORS[0])
    thread = Heartbeat("w", find_device("cpu"), "cpu", os.getpid(), lambda: None)
    thread._beat()
    assert [(beat.kind, beat.is_well) for beat in read_beats()] == [("worker", True)]
    thread._alive.end()


def test_a_controller_beats_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    DatabaseOutage(monkeypatch, loop, ERRORS[0])
    monkeypatch.setattr(loop, "TICK_S", 0.05)
    stopping = threading.Event()
    thread = threading.Thread(target=loop.run, args=(stopping,))
    thread.start()
    until(lambda: health.main(["controller"]) == 0, 10)
    stopping.set()
    thread.join(20)
    assert read_beats() == []


def test_the_command_asks_a_real_controller(home: Path, processes: Processes) -> None:
    def ask() -> int:
        command = [sys.executable, str(ROOT / "loreel"), "health", "controller"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120).returncode

    assert ask() == 1
    controller = start_controller(processes, home)
    until(lambda: ask() == 0, 60, "the controller beats")
    controller.kill()
    controller.wait(10)
    assert ask() == 1
