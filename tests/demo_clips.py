"""The clips of the demo, drawn once in a test process and copied into each data folder that needs them."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from jobs.datasets.demo import run_demo
from orchestrator.services.datasets.demo import demo_folder


def fill_demo() -> None:
    """As `run_demo`; only the first call draws the clips, which takes 7 s of a core."""
    drawn = _folder() / "demo"
    if drawn.exists():
        shutil.copytree(drawn, demo_folder())
    run_demo()
    if not drawn.exists():
        shutil.copytree(demo_folder(), drawn)


@cache
def _folder() -> Path:
    made = tempfile.TemporaryDirectory(prefix="lrl-demo-")
    atexit.register(made.cleanup)
    return Path(made.name)
