"""Data and pages of a newer version: an older one says so and changes nothing; a newer one opens what is older."""

import json
import shutil
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.controller import loop as controller
from jobs.worker import main as worker
from orchestrator import release
from orchestrator.release import RELEASE, NewerData, check_release, note_release
from orchestrator.settings import ROOT, Settings, get_settings
from orchestrator.stack import doctor, frontend, migrate, up
from orchestrator.stack.children import Log
from orchestrator.stack.errors import StackError


def everything_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Path -> mode and content."""
    paths = [folder, *folder.rglob("*")]
    return {str(path): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"") for path in paths}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of release 99.2.0, which other accounts may read."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "release").write_text("99.2.0\n")
    monkeypatch.setenv("LOREEL_DATA_DIR", str(folder))
    get_settings.cache_clear()
    return folder


def test_up_leaves_the_data_of_a_newer_release_alone(data: Path) -> None:
    before = everything_in(data)
    with pytest.raises(StackError) as refused:
        up.run(Settings(data_dir=data), Log(False))
    assert str(refused.value) == (
        f"The data folder {data} was written by Loreel 99.2.0, and this is {RELEASE}: "
        "start that version, or restore a backup made before the upgrade. Nothing was changed."
    )
    assert everything_in(data) == before


@pytest.mark.parametrize(
    "start", [lambda: worker.main(["--device", "cpu"]), controller.main], ids=["worker", "controller"]
)
def test_workers_and_controllers_leave_it_alone_too(data: Path, start: Callable[[], int]) -> None:
    before = everything_in(data)
    assert start() == 1
    assert everything_in(data) == before


def test_up_leaves_a_newer_schema_alone(data: Path) -> None:
    """An unreleased version has the same number, and another schema."""
    (data / "release").write_text(RELEASE)
    with sqlite3.connect(data / "loreel.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    before = everything_in(data)
    with pytest.raises(StackError, match="The database was written by a newer Loreel"):
        up.run(Settings(data_dir=data), Log(False))
    assert everything_in(data) == before


def test_no_other_store_is_opened_before_a_server_database_was_asked(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its revision is known only once the database answers: Redis of an older version would move newer files away."""
    (data / "release").write_text(RELEASE)

    def refuse(_settings: Settings) -> bool:
        raise StackError("The database was written by a newer Loreel.")

    monkeypatch.setattr(migrate, "migrate", refuse)
    with pytest.raises(StackError, match="newer Loreel"):
        up.run(Settings(data_dir=data), Log(False))
    assert {path.name for path in data.iterdir()} == {"release", "loreel.lock"}


@pytest.mark.parametrize("written_by", [None, "0.0.9", RELEASE, "not a number", "\ufffd"])
def test_data_of_the_same_or_an_older_release_are_opened(data: Path, written_by: str | None) -> None:
    (data / "release").unlink()
    if written_by is not None:
        (data / "release").write_text(written_by)
    check_release(data)
    note_release(data)
    assert (data / "release").read_text().strip() == RELEASE


def test_a_release_is_never_recorded_over_a_newer_one(data: Path) -> None:
    note_release(data)
    assert (data / "release").read_text() == "99.2.0\n"


def test_a_newer_release_opens_what_this_one_has_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "release").unlink()
    note_release(data)
    monkeypatch.setattr(release, "RELEASE", "0.2.0")
    check_release(data)
    note_release(data)
    monkeypatch.setattr(release, "RELEASE", RELEASE)
    with pytest.raises(NewerData, match=r"by Loreel 0\.2\.0, and this is"):
        check_release(data)


def test_the_release_is_that_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == RELEASE


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pages that were built from other sources."""
    state = tmp_path / "state"
    (state / "web" / "build" / "client").mkdir(parents=True)
    (state / "web" / "build" / "client" / "index.html").write_text("pages")
    monkeypatch.setattr(frontend, "STATE_DIR", state)
    monkeypatch.setattr(frontend, "WEB_DIR", state / "web")
    monkeypatch.setattr(frontend, "STATIC_DIR", state / "web" / "build" / "client")
    monkeypatch.setattr(frontend, "STAMP", state / "frontend.json")
    monkeypatch.setattr(frontend, "web_environment", dict)
    monkeypatch.setattr(frontend, "npm_registry", lambda _env: "")
    monkeypatch.setattr(frontend, "sources_hash", lambda **_: "these")
    monkeypatch.setattr(frontend, "packages_hash", lambda: "packages")
    monkeypatch.setattr(frontend, "tools", lambda: {"Node.js": "24.4.1", "Reflex": "0.8.2"})
    monkeypatch.setattr(frontend, "_run_export", lambda _env: (state / "exported").touch())
    return state


def stamp(state: Path, **tools: str) -> None:
    named = {{"node": "Node.js", "reflex": "Reflex"}[name]: value for name, value in tools.items()}
    (state / "frontend.json").write_text(json.dumps({"sources": "others", "packages": "packages", **named}))


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ({"node": "24.10.0"}, "built with Node.js 24.10.0, and 24.4.1 is installed here"),
        ({"node": "24.4.1", "reflex": "0.9.0"}, "built with Reflex 0.9.0, and 0.8.2 is installed here"),
    ],
)
def test_pages_of_newer_tools_are_not_built_over(built: Path, tools: dict[str, str], said: str) -> None:
    stamp(built, **tools)
    before = everything_in(built)
    with pytest.raises(StackError) as refused:
        frontend.build()
    assert said in str(refused.value)
    assert "delete " in str(refused.value)
    after = everything_in(built)
    after.pop(str(built / "build.lock"))
    assert after == before
    with pytest.raises(StackError, match=r"installed here"):
        doctor._pages()


@pytest.mark.parametrize("tools", [{}, {"node": "22.20.1", "reflex": "0.8.2"}, {"node": "24.4.1", "reflex": "0.7.14"}])
def test_pages_of_the_same_or_older_tools_are_built_over(built: Path, tools: dict[str, str]) -> None:
    stamp(built, **tools)
    assert doctor._pages() == "will be built at the next start"
    assert frontend.build()
    assert (built / "exported").exists()
    made = json.loads((built / "frontend.json").read_text())
    assert made == {"sources": "these", "packages": "packages", "Node.js": "24.4.1", "Reflex": "0.8.2"}
    assert not frontend.build()


def test_pages_of_newer_tools_and_these_sources_are_served(built: Path) -> None:
    stamp(built, node="25.0.0")
    content = (built / "frontend.json").read_text().replace("others", "these")
    (built / "frontend.json").write_text(content)
    assert not frontend.build()
    assert doctor._pages() == "built"


def test_pages_that_were_deleted_are_built_with_older_tools(built: Path) -> None:
    stamp(built, node="25.0.0")
    shutil.rmtree(built / "web")
    assert doctor._pages() == "will be built at the next start"
    assert frontend.build()


def test_the_doctor_names_data_of_a_newer_release(data: Path) -> None:
    with pytest.raises(StackError, match=r"written by Loreel 99\.2\.0"):
        doctor._data(Settings(data_dir=data))


def test_the_tools_at_hand_are_named() -> None:
    here = frontend.tools()
    assert [part.isdigit() for part in here["Node.js"].split(".")] == [True] * 3
    assert here["Reflex"][0].isdigit()
