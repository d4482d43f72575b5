"""The clips of the demo, drawn once in a test run and copied into each data folder that needs them."""

import atexit
import contextlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from jobs.datasets.demo import run_demo
from orchestrator.services.datasets.demo import demo_folder
from orchestrator.stack.suites import SHARED


def fill_demo() -> None:
    """As `run_demo`; only the first call draws the clips, which takes 7 s of a core."""
    drawn = _folder() / "demo"
    if drawn.exists():
        shutil.copytree(drawn, demo_folder())
    run_demo()
    if not drawn.exists():
        part = drawn.with_name(f"demo-{os.getpid()}")
        shutil.copytree(demo_folder(), part)
        with contextlib.suppress(OSError):  # another process was first
            part.rename(drawn)


@cache
def _folder() -> Path:
    """That of the whole test run, else of this process."""
    if shared := os.environ.get(SHARED):
        return Path(shared)
    made = tempfile.TemporaryDirectory(prefix="lrl-demo-")
    atexit.register(made.cleanup)
    return Path(made.name)
