"""The whole stack starts, answers, heals, and leaves no process behind, however it is ended."""

import os
import signal
import time

import httpx
import psutil
import pytest

from benchmarks.studio import Studio, studio
from orchestrator.settings import Settings
from orchestrator.stack.redis_server import answers

pytestmark = pytest.mark.slow


def _family(running: Studio) -> list[psutil.Process]:
    supervisor = psutil.Process(running.process.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def _left(family: list[psutil.Process]) -> list[str]:
    _, alive = psutil.wait_procs(family, timeout=15)
    return [f"{process.pid} {process.name()}" for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def _wait_for_new_pid(running: Studio, name: str, old: int) -> int:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        fresh = running.pids.get(name, old)
        if fresh != old and psutil.pid_exists(fresh):
            return fresh
        time.sleep(0.1)
    raise AssertionError(f"{name} was not started again:\n{running.log.read_text()[-2000:]}")


def test_it_answers_heals_and_leaves_no_process() -> None:
    with studio() as running:
        assert set(running.pids) >= {"supervisor", "redis", "web", "controller", "worker"}
        page = httpx.get(f"{running.url}/", timeout=10)
        assert page.status_code == 200
        assert "Loreel" in page.text
        assert httpx.get(f"{running.url}/api/v1/health", timeout=10).status_code in (200, 503)

        for name in ("controller", "web"):
            old = running.pids[name]
            os.kill(old, signal.SIGKILL)
            _wait_for_new_pid(running, name, old)

        family = _family(running)
        assert len(family) >= 5
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
        assert _left(family) == []
        assert not (running.data_dir / "run.json").exists()
        assert "Stopped" in running.log.read_text()


def test_a_killed_supervisor_takes_everything_along() -> None:
    with studio() as running:
        family = _family(running)
        running.process.kill()
        running.process.wait(10)
        assert _left(family) == []


def test_a_path_too_long_for_a_socket_still_works(tmp_path_factory: pytest.TempPathFactory) -> None:
    deep = tmp_path_factory.mktemp("deep") / ("x" * 100)
    with studio(deep) as running:
        assert httpx.get(f"{running.url}/", timeout=10).status_code == 200
        assert answers(Settings(data_dir=deep).redis_socket)
