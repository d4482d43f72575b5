"""The parts of the test suite, and how they run at the same time: the browser tests beside two runs of the others."""

import os
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

BROWSER = "tests/e2e"
TRAINING = "tests/unit/jobs"
SLOW_MARK = "mark.slow"
OTHER_RUNS = 2
"""Runs besides the browser tests: both wait a good part of their time, so that two cores are busy with three runs."""
SLOW_FILES, QUICK_FILES = 2, 6
"""Integration tests' files of one process: it takes five seconds of a core to start, and the last ones end together."""

Part = tuple[str, ...]
"""What one pytest process is given."""


def parts_of(root: Path) -> list[Part]:
    """All tests but those in a browser, what takes longest first: then no run is left alone at the end."""
    units = [path for path in sorted((root / "tests/unit").iterdir()) if _holds_tests(path)]
    quick_units = ["tests/architecture", *(name for path in units if (name := _name(path, root)) != TRAINING)]
    files = sorted((root / "tests/integration").rglob("test_*.py"))
    slow = [_name(path, root) for path in files if SLOW_MARK in path.read_text()]
    quick = [name for path in files if (name := _name(path, root)) not in slow]
    return [(TRAINING,), *_batches(slow, SLOW_FILES), tuple(quick_units), *_batches(quick, QUICK_FILES)]


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _holds_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def _batches(files: list[str], size: int) -> list[Part]:
    return [tuple(files[start : start + size]) for start in range(0, len(files), size)]


class _Suites:
    """Runs parts until none are left."""

    def __init__(self, pytest: Sequence[str], options: dict[str, Any], parts: Sequence[Part]) -> None:
        self._pytest, self._options, self._left = pytest, options, deque(parts)
        self._codes: list[int] = []
        self._lock = threading.Lock()

    @property
    def code(self) -> int:
        """0 when all passed."""
        return next((code for code in self._codes if code), 0)

    def cancel(self) -> None:
        """Starts no other part."""
        self._left.clear()

    def run_part(self, part: Part, niceness: int, output: IO[str] | None) -> None:
        error = subprocess.STDOUT if output else None
        run = subprocess.Popen([*self._pytest, *part], stdout=output, stderr=error, **self._options)
        try:
            os.setpriority(os.PRIO_PROCESS, run.pid, niceness)
            code = run.wait()
        finally:
            run.kill()
        with self._lock:
            self._codes.append(code)

    def run_what_is_left(self, niceness: int, output: IO[str] | None) -> None:
        while True:
            try:
                part = self._left.popleft()
            except IndexError:
                return
            self.run_part(part, niceness, output)


def run_suites(pytest: Sequence[str], root: Path, env: dict[str, str]) -> int:
    """Runs the browser tests and the other tests at the same time; 0 when all passed.

    The output of the browser tests is shown at once, that of the others when all have ended.
    """
    options: dict[str, Any] = {"cwd": root, "env": env, "stdin": subprocess.DEVNULL}
    suites = _Suites(pytest, options, parts_of(root))
    outputs = [tempfile.TemporaryFile("w+") for _ in range(OTHER_RUNS)]  # noqa: SIM115
    with ThreadPoolExecutor(OTHER_RUNS) as executor:
        # At a lower priority than the browser tests, which give up on a page that takes too long.
        others = [executor.submit(suites.run_what_is_left, 10, output) for output in outputs]
        try:
            suites.run_part((BROWSER,), 0, None)
            suites.run_what_is_left(0, None)
        finally:
            suites.cancel()  # after Ctrl-C no other part starts
        for other in others:
            other.result()
    for output in outputs:
        with output:
            output.seek(0)
            print(output.read(), flush=True)
    return suites.code
