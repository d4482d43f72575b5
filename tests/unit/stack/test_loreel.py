"""The bootstrap refuses in sentences, and an old Python can still read it."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = (ROOT / "loreel").read_text()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, folder / "loreel", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_an_old_python_can_parse_it() -> None:
    # 3.7 is the oldest grammar that ast knows; the sentence about the version must reach that person.
    ast.parse(SOURCE, feature_version=(3, 7))


def test_it_needs_the_standard_library_only() -> None:
    names = {alias.name for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= set(sys.stdlib_module_names)


def test_help_lists_the_commands() -> None:
    done = _run(ROOT, "help")
    assert done.returncode == 0
    for command in ("up", "dev", "worker", "doctor", "test", "bench"):
        assert f"  {command} " in done.stdout


def test_help_of_a_command_starts_nothing() -> None:
    done = _run(ROOT, "up", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ./loreel COMMAND")


def test_an_unknown_option_is_a_sentence() -> None:
    done = _run(ROOT, "up", "--web-onyl")
    assert done.returncode == 1
    assert "`./loreel up` does not know --web-onyl." in done.stderr


def test_an_unknown_command_is_a_sentence() -> None:
    done = _run(ROOT, "fly")
    assert done.returncode == 1
    assert "There is no command 'fly'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_a_sentence() -> None:
    program = (
        "import sys; sys.version_info = (3, 9, 2); sys.argv = ['loreel', 'up']\n"
        f"exec(compile({SOURCE!r}, 'loreel', 'exec'), {{'__name__': '__main__', '__file__': 'loreel'}})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; this is 3.9" in done.stderr


@pytest.mark.slow
def test_no_network_is_a_sentence(tmp_path: Path) -> None:
    for name in ("loreel", "requirements.txt", "requirements.lock", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    environment |= {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    done = subprocess.run(
        [sys.executable, tmp_path / "loreel", "up"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode == 1
    assert "connect to the network" in done.stderr
    assert "Traceback" not in done.stderr
