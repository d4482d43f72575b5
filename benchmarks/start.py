"""Time from `./loreel up` to the first answer: already built, and after a change of sources."""

import shutil
import signal
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.studio import free_port, launch
from benchmarks.target import Target
from orchestrator.settings import Settings
from orchestrator.stack import frontend
from orchestrator.stack.probe import web_answers

TARGETS: dict[str, Target] = {"warm_s": {"max": 3.0}, "changed_s": {"max": 60.0}}
ROUNDS = 3


def _start_once(data_dir: Path) -> float:
    port, log = free_port(), data_dir / "up.log"
    settings = Settings(data_dir=data_dir, port=port)
    began = time.monotonic()
    process = launch(data_dir, port, log)
    try:
        while not web_answers(settings):
            if process.poll() is not None or time.monotonic() - began > 300:
                raise RuntimeError(log.read_text()[-4000:])
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def run() -> dict[str, float]:
    """Seconds. `first_s`: an empty data folder; `warm_s`: median of the starts after it; `changed_s`: with a build."""
    frontend.build()
    data_dir = Path(tempfile.mkdtemp(prefix="lrl-", dir="/tmp"))
    try:
        first = _start_once(data_dir)
        warm = [_start_once(data_dir) for _ in range(ROUNDS)]
        # A build that belongs to other sources is what a changed file leaves behind.
        frontend.STAMP.unlink()
        changed = _start_once(data_dir)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
    return {"first_s": round(first, 2), "warm_s": round(statistics.median(warm), 2), "changed_s": round(changed, 1)}
