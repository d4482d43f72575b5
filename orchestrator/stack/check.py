"""`./loreel test`: lint and layers, each a condition of the next; then types and all tests, in four lanes."""

import os
import shutil
import subprocess
import sys
import time
from typing import Any

from orchestrator.settings import ROOT
from orchestrator.stack.errors import StackError
from orchestrator.stack.suites import BROWSER, Part, batches_of, part_of, run_lanes

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"
"""Debian's Chromium without a window system: the browser tests take a third less processor time with it."""

GATES: list[tuple[str, list[str]]] = [
    ("Lint", ["ruff", "check", "--quiet", "."]),
    ("Format", ["ruff", "format", "--check", "--quiet", "."]),
    ("Layers", ["lint-imports", "--no-cache"]),
]
TYPES = Part("Types", ("basedpyright", "--level", "error"))
PAGES = Part("Pages", (sys.executable, "-m", "orchestrator.stack.setup"))
"""Builds the app's pages, which the browser tests need."""


def find_chromium() -> str | None:
    """The path of an installed Chromium, or None."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def find_browser() -> str | None:
    """The browser for the browser tests, or None."""
    return shutil.which(SHELL) or find_chromium()


def ensure_chromium() -> str:
    """Chromium for the browser tests; installed if this process may. Raises StackError saying how otherwise."""
    if found := find_chromium():
        return found
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise StackError("The browser tests need Chromium: install the package `chromium` and run this again.")
    print("loreel     | Installing chromium", flush=True)
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "update", "-qq"], env=env, check=False, **quiet)
    subprocess.run([apt, "install", "-y", "-qq", "chromium"], env=env, check=False, **quiet)
    if found := find_chromium():
        return found
    raise StackError("Chromium could not be installed: run `apt-get install chromium` and read what it says.")


def run_gate(name: str, command: list[str]) -> int:
    """Runs one tool with its output shown; returns its exit code."""
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode
    print(f"loreel     | {name}: {'passed' if code == 0 else 'FAILED'} ({time.monotonic() - began:.1f} s)", flush=True)
    return code


def main(arguments: list[str]) -> int:
    """`python -m orchestrator.stack.check [pytest arguments]`; with arguments, only pytest runs."""
    try:
        chromium = find_browser() or ensure_chromium()
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        return 1
    env = os.environ | {"LOREEL_TEST_CHROMIUM": chromium, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    for name in [key for key in env if key.startswith("LOREEL_") and not key.startswith("LOREEL_TEST")]:
        del env[name]
    pytest = [sys.executable, "-m", "pytest"]
    if arguments:
        given = [*pytest, *arguments]
        return subprocess.run(given, cwd=ROOT, env=env, check=False, stdin=subprocess.DEVNULL).returncode
    for name, command in GATES:
        if code := run_gate(name, command):
            return code
    others = [part_of(pytest, tests) for tests in batches_of(ROOT)]
    # After the tests of jobs, which take longest.
    others.insert(2, TYPES)
    return run_lanes([PAGES, part_of(pytest, (BROWSER,))], others, ROOT, env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
