"""The bootstrap refuses in sentences, and an old Python can still read it."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

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


class Bootstrap:
    """The functions of `loreel`, with a pip that succeeds for the given requirement only and runs nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, available: str, nvidia: bool) -> None:
        self.names: dict[str, Any] = {"__name__": "loreel", "__file__": str(ROOT / "loreel")}
        exec(compile(SOURCE, "loreel", "exec"), self.names)
        self.calls: list[list[str]] = []
        self.lines: list[str] = []
        monkeypatch.delenv("LOREEL_TORCH_INDEX", raising=False)

        def run_pip(arguments: list[str], log_path: str) -> bool:
            self.calls.append(arguments)
            return available in arguments

        self.names |= {"run_pip": run_pip, "has_nvidia_gpu": lambda: nvidia, "say": self.lines.append}

    def install_torch(self, log: Path) -> None:
        self.names["install_torch"](["torch==2.13.0", "torchvision==0.28.0"], str(log))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the usual build has no CUDA")
def test_without_a_gpu_the_cpu_build_of_torch_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = Bootstrap(monkeypatch, "torch==2.13.0+cpu", nvidia=False)
    found.install_torch(tmp_path / "log")
    assert [call[-1] for call in found.calls] == ["torch==2.13.0+cpu", "torchvision==0.28.0+cpu"]
    assert found.lines[0].startswith("No NVIDIA GPU here: took the CPU build of torch")
    gone = Bootstrap(monkeypatch, "torch==2.13.0", nvidia=False)
    gone.install_torch(tmp_path / "log")
    assert [call[-1] for call in gone.calls[:2]] == ["torch==2.13.0+cpu"] * 2
    assert gone.calls[2:] == [["torch==2.13.0", "torchvision==0.28.0"]]
    assert "--extra-index-url" in gone.calls[1]
    assert "taking the usual one" in gone.lines[0]


def test_with_a_gpu_or_a_chosen_index_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gpu = Bootstrap(monkeypatch, "torch==2.13.0", nvidia=True)
    gpu.install_torch(tmp_path / "log")
    assert gpu.calls == [["torch==2.13.0", "torchvision==0.28.0"]]
    chosen = Bootstrap(monkeypatch, "torch==2.13.0", nvidia=False)
    monkeypatch.setenv("LOREEL_TORCH_INDEX", "http://index.example/cu130")
    chosen.install_torch(tmp_path / "log")
    assert chosen.calls == [["--index-url", "http://index.example/cu130", "torch==2.13.0", "torchvision==0.28.0"]]
