"""The parts of the test run, and how they run at the same time: the browser tests beside types and all other tests."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import psutil

from orchestrator.domain import formatting

BROWSER = "tests/e2e"
TRAINING = "tests/unit/jobs/trainer"
SLOW_MARK = "mark.slow"
OTHER_LANES = 3
"""Lanes besides the browser tests: all wait a good part of their time. With two of them two cores were 78 % busy."""
SLOW_FILES, QUICK_FILES = 6, 20
"""Integration tests' files of one process: it takes five seconds of a core to start, and the last ones end together."""
SHARED = "LOREEL_TEST_SHARED"
"""Names the folder of what the tests of one process make and those of the next ones use again."""
LOWER_PRIORITY = 10
"""The niceness of what runs beside the browser tests, which give up on a page that takes too long."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the test run."""

    name: str
    command: tuple[str, ...]


Tests = tuple[str, ...]
"""The files and folders of one pytest process."""


def batches_of(root: Path) -> list[Tests]:
    """All tests but those in a browser, what takes longest first: then no lane is left alone at the end."""
    units = _paths_with_tests(root / "tests/unit")
    jobs = [_name(path, root) for path in _paths_with_tests(root / "tests/unit/jobs")]
    other_jobs = [name for name in jobs if name != TRAINING]
    quick_units = ["tests/architecture", *(_name(path, root) for path in units if path.name != "jobs")]
    files = sorted((root / "tests/integration").rglob("test_*.py"))
    slow = [_name(path, root) for path in files if SLOW_MARK in path.read_text()]
    quick = [name for path in files if (name := _name(path, root)) not in slow]
    return [
        (TRAINING,),
        tuple(other_jobs),
        tuple(quick_units),
        *_batches(slow, SLOW_FILES),
        *_batches(quick, QUICK_FILES),
    ]


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _paths_with_tests(folder: Path) -> list[Path]:
    """What lies in a folder and is or holds a file of tests."""
    return [
        path
        for path in sorted(folder.iterdir())
        if (path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py")))
    ]


def _batches(files: list[str], size: int) -> list[Tests]:
    """As few as have at most `size` files, and about as many files in each."""
    count = -(-len(files) // size)
    ends = [len(files) * number // count for number in range(1, count + 1)]
    return [tuple(files[start:end]) for start, end in pairwise([0, *ends])]


def part_of(pytest: Sequence[str], tests: Tests) -> Part:
    """The process that runs these tests, under the names of the first and the last."""
    names = [tests[0], *([tests[-1].removeprefix("tests/")] if len(tests) > 1 else [])]
    return Part(" .. ".join(names), (*pytest, *tests))


class _Lanes:
    """Runs parts until none are left."""

    def __init__(self, options: dict[str, Any], parts: Sequence[Part]) -> None:
        self._options, self._left = options, deque(parts)
        self._codes: list[int] = []
        self._printing = threading.Lock()
        self.cpu_s = 0.0

    @property
    def code(self) -> int:
        """0 when all passed."""
        return next((code for code in self._codes if code), 0)

    def cancel(self) -> None:
        """Starts no other part."""
        self._left.clear()

    def run_part(self, part: Part, niceness: int) -> None:
        """Runs it, then shows what it printed and what it took."""
        began = time.monotonic()
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            run = subprocess.Popen(part.command, stdout=output, stderr=subprocess.STDOUT, **self._options)
            try:
                os.setpriority(os.PRIO_PROCESS, run.pid, niceness)
                # In place of waiting by Popen: it tells the processor time of this process and of what it waited for.
                _, status, usage = os.wait4(run.pid, 0)
                run.returncode = os.waitstatus_to_exitcode(status)
            finally:
                run.kill()
            self._note(part, run.returncode, time.monotonic() - began, usage.ru_utime + usage.ru_stime, output)

    def _note(self, part: Part, code: int, wall_s: float, cpu_s: float, output: IO[str]) -> None:
        output.seek(0)
        verdict = "passed" if code == 0 else "FAILED"
        with self._printing:
            self._codes.append(code)
            self.cpu_s += cpu_s
            sys.stdout.write(output.read())
            print(f"loreel     | {part.name}: {verdict} ({wall_s:.0f} s, {cpu_s:.0f} s of a core)", flush=True)

    def run_what_is_left(self, niceness: int) -> None:
        while True:
            try:
                part = self._left.popleft()
            except IndexError:
                return
            self.run_part(part, niceness)


def run_lanes(first: Sequence[Part], others: Sequence[Part], root: Path, env: dict[str, str]) -> int:
    """Runs the parts of `first` one after another, and at the same time all others; 0 when all passed.

    The output of a part is shown when it has ended.
    """
    began, before, cores = time.monotonic(), _busy_s(), os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="lrl-shared-") as shared, ThreadPoolExecutor(OTHER_LANES) as executor:
        lanes = _Lanes({"cwd": root, "env": env | {SHARED: shared}, "stdin": subprocess.DEVNULL}, others)
        beside = [executor.submit(lanes.run_what_is_left, LOWER_PRIORITY) for _ in range(OTHER_LANES)]
        try:
            for part in first:
                lanes.run_part(part, 0)
            lanes.run_what_is_left(0)
        finally:
            lanes.cancel()  # after Ctrl-C no other part starts
        for lane in beside:
            lane.result()
    wall_s = time.monotonic() - began
    busy = (_busy_s() - before) / wall_s / cores
    load = f"{lanes.cpu_s:.0f} s of a core, {cores} cores {formatting.percent(busy)} busy"
    print(f"loreel     | All parts: {wall_s:.0f} s, {load}", flush=True)
    return lanes.code


def _busy_s() -> float:
    """Seconds of a core that the machine has worked: that of processes which nobody waited for is in no other count."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice
