"""The test command runs each test once, what takes longest first, and fails where one part fails."""

import os
import sys
from pathlib import Path

import pytest

from orchestrator.settings import ROOT
from orchestrator.stack.suites import BROWSER, SLOW_MARK, TRAINING, Part, batches_of, part_of, run_lanes

STAND_IN = """
import pathlib, sys
with pathlib.Path("ran.txt").open("a") as ran:
    ran.write(" ".join(sys.argv[1:]) + "\\n")
print("output of", *sys.argv[1:])
sys.exit(FAILS in sys.argv)
"""


def test_each_file_is_in_one_part() -> None:
    given = [ROOT / name for tests in (*batches_of(ROOT), (BROWSER,)) for name in tests]
    found = [file for path in given for file in ([path] if path.is_file() else path.rglob("test_*.py"))]
    assert sorted(found) == sorted((ROOT / "tests").rglob("test_*.py"))


def test_the_slowest_come_first() -> None:
    first, second, third, *others = batches_of(ROOT)
    assert first == (TRAINING,)
    assert all(name.startswith("tests/unit/jobs/") for name in second)
    assert "tests/unit/services" in third
    slow = [any(SLOW_MARK in (ROOT / name).read_text() for name in part if name.endswith(".py")) for part in others]
    assert slow == sorted(slow, reverse=True)
    assert any(slow)


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    for name in (
        "architecture/test_a",
        "unit/jobs/trainer/test_b",
        "unit/jobs/test_f",
        "unit/stack/test_c",
        "integration/test_d",
        "e2e/test_e",
    ):
        path = tmp_path / "tests" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


@pytest.mark.parametrize("fails", ["", BROWSER, TRAINING, "tests/integration/test_d.py"])
def test_each_part_runs_once_and_one_that_fails_counts(
    small_tree: Path, fails: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in = [sys.executable, "-c", STAND_IN.replace("FAILS", repr(fails))]
    tests = batches_of(small_tree)
    first = [Part("Pages", ("sh", "-c", "echo pages >> ran.txt")), part_of(stand_in, (BROWSER,))]
    code = run_lanes(first, [part_of(stand_in, each) for each in tests], small_tree, dict(os.environ))
    assert code == int(bool(fails))
    ran = (small_tree / "ran.txt").read_text().splitlines()
    assert sorted(ran) == sorted(["pages", BROWSER, *(" ".join(each) for each in tests)])
    assert ran.index("pages") < ran.index(BROWSER)
    shown = capfd.readouterr().out
    assert all(f"output of {line}" in shown for line in ran if line != "pages")
    assert shown.count("FAILED (") == int(bool(fails))
    assert shown.count("passed (") == len(ran) - int(bool(fails))
