"""An ASGI app that granian serves in a process of its own, as the studio is served."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from benchmarks.studio import free_port
from orchestrator.settings import ROOT


@contextmanager
def granian_server(factory: str, home: Path, *options: str, path: str = "/") -> Iterator[tuple[int, psutil.Process]]:
    """(port, the process) of a server that answers.

    Args:
        factory: the function that makes the app, as `module:function`.
        home: the folder for its log.
        path: what is asked until it answers.
    """
    port = free_port()
    program = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--workers", "1"]
    with (home / "server.log").open("wb") as log:
        command = [*program, *options, "--factory", factory]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://localhost:{port}{path}", timeout=5)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, (home / "server.log").read_text()
                time.sleep(0.2)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)
