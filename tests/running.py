"""Fixtures that need the real thing running: the whole stack once a session, and a real browser."""

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
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class AppServer:
    """A running Loreel: where it answers, where its data lies, and which process is which."""

    url: str
    port: int
    data_dir: Path
    process: subprocess.Popen
    log_path: Path

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name: supervisor, web, controller, worker, redis."""
        return json.loads((self.data_dir / "run.json").read_text())

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM, limit_s: float = 60.0) -> int:
        """Signals the supervisor and waits; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_app(data_dir: Path, limit_s: float = 240.0, **settings: str) -> AppServer:
    """Starts `up` on a free port with `data_dir`; `settings` are variables such as LOREEL_SIGNUP="closed".

    Raises:
        RuntimeError: it ended or did not answer in time; the message carries its log.
    """
    port = free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    log_path = data_dir / "up.log"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LOREEL_", "REFLEX_"))}
    env |= {"LOREEL_DATA_DIR": str(data_dir), "LOREEL_PORT": str(port), "LOREEL_STOP_GRACE_S": "5", **settings}
    with log_path.open("wb") as log:
        command = [sys.executable, "-m", "orchestrator.stack.up"]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    server = AppServer(f"http://127.0.0.1:{port}", port, data_dir, process, log_path)
    until = time.monotonic() + limit_s
    while "Loreel is ready at" not in server.log:
        if process.poll() is not None or time.monotonic() > until:
            process.terminate()
            raise RuntimeError(f"Loreel did not start:\n{server.log[-4000:]}")
        time.sleep(0.05)
    return server


@pytest.fixture(scope="session")
def app_server() -> Iterator[AppServer]:
    """The whole stack, started once: web, controller, worker and Redis on a data folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="lrl-app-", dir="/tmp"))
    server = start_app(folder)
    yield server
    server.stop()
    # Kept when something failed inside it, for whoever looks.
    if "LOREEL_KEEP" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)


def chromium_path() -> str | None:
    """An installed Chromium or Chrome, or None for the one that Playwright may have fetched."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One real Chromium for the session."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, app_server: AppServer) -> Iterator[Page]:
    """A page in a fresh context (no cookies) whose relative addresses are the running app's."""
    context = browser.new_context(base_url=app_server.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    yield opened
    context.close()
