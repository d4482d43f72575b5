"""Starts a real Loreel of its own for a benchmark or a test: own data folder, own port, all processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.settings import ROOT, Settings
from orchestrator.stack.probe import web_answers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Studio:
    """A running Loreel."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name: supervisor, redis, web, controller, worker."""
        return json.loads((self.data_dir / "run.json").read_text())


def launch(data_dir: Path, port: int, log: Path, web_only: bool = False, **settings: str) -> subprocess.Popen[bytes]:
    """Starts `up` in the background, with exactly these settings; `web_only`: without controller and workers."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LOREEL_")}
    env |= {"LOREEL_DATA_DIR": str(data_dir), "LOREEL_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    env["LOREEL_SIGNUPS_PER_HOUR"] = "0"  # each test makes accounts, all from this machine
    env |= {f"LOREEL_{key.upper()}": value for key, value in settings.items()}
    command = [sys.executable, "-m", "orchestrator.stack.up", *(["--web-only"] if web_only else [])]
    with log.open("ab") as out:
        return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def wait_ready(process: subprocess.Popen[bytes], data_dir: Path, port: int, log: Path, limit_s: float = 300.0) -> None:
    """Returns when the web answers and the workshop has been started."""
    settings = Settings(data_dir=data_dir, port=port)
    until = time.monotonic() + limit_s
    while not (web_answers(settings) and b"Loreel is ready" in log.read_bytes()):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"Loreel did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)


@contextmanager
def studio(folder: Path | None = None, **settings: str) -> Iterator[Studio]:
    """A Loreel from nothing, stopped and removed at the end. `folder`: its data folder, else a fresh one."""
    data_dir = folder or Path(tempfile.mkdtemp(prefix="lrl-", dir="/tmp"))
    data_dir.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), data_dir / "up.log"
    process = launch(data_dir, port, log, False, **settings)
    try:
        wait_ready(process, data_dir, port, log)
        yield Studio(f"http://localhost:{port}", data_dir, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(data_dir, ignore_errors=True)
