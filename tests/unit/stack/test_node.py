"""Node's wheel gets links that work, and the lock that is committed does not shrink by building."""

import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.settings import MAX_SOCKET_PATH_BYTES, Settings
from orchestrator.stack import frontend, node
from orchestrator.stack.errors import StackError


def test_npm_runs_from_the_shim_folder(tmp_path: Path) -> None:
    shims = node.make_shims(tmp_path / "bin", node.wheel_root())
    env = {"PATH": f"{shims}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(["npm", "--version"], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()[0].isdigit()


def test_shims_are_repaired_when_the_wheel_has_moved(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "node").symlink_to(tmp_path / "gone")
    node.make_shims(folder, node.wheel_root())
    assert (folder / "node").resolve() == (node.wheel_root() / "bin" / "node").resolve()


def test_a_broken_wheel_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="reinstall it"):
        node.make_shims(tmp_path / "bin", tmp_path)


def test_reflex_gets_a_node_without_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    env = node.node_environment({"PATH": "/usr/bin"})
    assert env["PATH"].split(":")[0].endswith(".loreel/node")
    assert env["REFLEX_USE_NPM"] == "1"
    assert env["REFLEX_TELEMETRY_ENABLED"] == "false"


def _write(folder: Path, **dependencies: str) -> None:
    (folder / "package.json").write_text(json.dumps({"dependencies": dependencies}))


def test_the_lock_stays_when_a_build_only_left_packages_out(tmp_path: Path) -> None:
    _write(tmp_path, react="^19", motion="^12")
    with frontend.steady_lock(tmp_path):
        _write(tmp_path, react="^19")
    assert "motion" in (tmp_path / "package.json").read_text()


def test_the_lock_follows_when_a_page_needs_a_new_package(tmp_path: Path) -> None:
    _write(tmp_path, react="^19")
    with frontend.steady_lock(tmp_path):
        _write(tmp_path, react="^19", uplot="^1")
    assert "uplot" in (tmp_path / "package.json").read_text()


def test_a_long_data_folder_moves_the_socket_only(tmp_path: Path) -> None:
    short = Settings(data_dir=Path("/tmp/lrl"))
    assert short.redis_socket == Path("/tmp/lrl/redis/redis.sock")
    deep = Settings(data_dir=tmp_path / ("d" * 120))
    assert len(bytes(deep.redis_socket)) <= MAX_SOCKET_PATH_BYTES
    assert deep.redis_socket == Settings(data_dir=deep.data_dir).redis_socket
