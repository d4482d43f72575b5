"""A fetch from a web address whose line breaks goes on from there, by a server that really cuts it."""

import fcntl
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from jobs.fetch import web
from jobs.fetch.part import Part
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import FETCHED_PART, PART_NOTE, fetch_folders, partial_bytes
from orchestrator.services.datasets.ingest.sources import request_fetch
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.web_server import Ranged, WebServer, web_server
from tests.integration.test_fetch import archive, dataset_of, run, wish
from tests.studio import RedisProcess


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch, home: Path, redis_server: RedisProcess) -> None:
    """This machine's own servers may be asked."""
    monkeypatch.setenv("LOREEL_ALLOW_PRIVATE_URLS", "true")
    get_settings.cache_clear()


def begin(ada: Actor, server: WebServer, answer: Ranged) -> int:
    server.routes["/a.zip"] = answer
    return wish(ada, {"type": "url", "url": f"{server.url}/a.zip"})


def again(ada: Actor, dataset_id: int) -> str:
    with session_scope() as session:
        request_fetch(session, ada, dataset_id)
    return run(dataset_id)


def nothing_lies_about() -> bool:
    return not list((get_settings().data_dir / "uploads").iterdir())


YESTERDAY = formatdate(1_700_000_000, usegmt=True)


@pytest.mark.parametrize("validator", [{"ETag": '"one"'}, {"Last_Modified": YESTERDAY}])
def test_a_broken_connection_is_resumed(
    ada: Actor, server: WebServer, tmp_path: Path, validator: dict[str, str]
) -> None:
    data = archive(tmp_path)
    answer = Ranged(data, breaks=2, **validator)
    dataset_id = begin(ada, server, answer)
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    half = len(data) // 2
    assert answer.sent == [(200, 0), (206, half), (206, half + (len(data) - half) // 2)]
    assert dataset_of(dataset_id).clip_count == 4
    assert nothing_lies_about()


def test_what_arrived_stays_for_the_next_try(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    answer = Ranged(archive(tmp_path), breaks=web.LINES, ETag='"one"')
    dataset_id = begin(ada, server, answer)
    assert run(dataset_id) == "error"
    assert "KB are stored; fetching it again within two days" in dataset_of(dataset_id).error
    [folder] = fetch_folders(dataset_id)
    begun = partial_bytes(folder)
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert answer.sent[-1] == (206, begun)
    assert len(answer.sent) == web.LINES + 1
    assert nothing_lies_about()


def test_another_file_by_now_comes_from_its_start(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    data = archive(tmp_path)
    dataset_id = begin(ada, server, Ranged(b"?" * 5000, breaks=web.LINES, ETag='"one"'))
    assert run(dataset_id) == "error"
    changed = server.routes["/a.zip"] = Ranged(data, ETag='"two"')
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert changed.sent == [(200, 0)]


def test_a_server_that_ignores_if_range_is_not_believed(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    """It would send the rest of another file: its size and its ETag give it away."""
    data = archive(tmp_path)
    dataset_id = begin(ada, server, Ranged(b"?" * 1000, breaks=web.LINES, ETag='"one"'))
    assert run(dataset_id) == "error"

    class Careless(Ranged):
        def __call__(self, handler) -> None:
            if "If-Range" in handler.headers:
                handler.headers.replace_header("If-Range", '"two"')
            super().__call__(handler)

    careless = server.routes["/a.zip"] = Careless(data, ETag='"two"')
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert [status for status, _ in careless.sent] == [206, 200]


@pytest.mark.parametrize("validator", [{}, {"ETag": 'W/"one"'}])
def test_a_server_without_a_version_of_the_file_starts_over(
    ada: Actor, server: WebServer, tmp_path: Path, validator: dict[str, str]
) -> None:
    answer = Ranged(archive(tmp_path), breaks=1, **validator)
    dataset_id = begin(ada, server, answer)
    assert run(dataset_id) == "error"
    assert "are stored" not in dataset_of(dataset_id).error
    assert nothing_lies_about()
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert answer.sent == [(200, 0), (200, 0)]


def test_a_complete_file_is_checked_by_its_last_byte(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    data = archive(tmp_path)
    answer = Ranged(data, breaks=web.LINES, ETag='"one"')
    dataset_id = begin(ada, server, answer)
    assert run(dataset_id) == "error"
    [folder] = fetch_folders(dataset_id)
    (folder / FETCHED_PART).write_bytes(data)
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert answer.sent[-1] == (206, len(data) - 1)


def test_a_file_that_is_still_written_is_not_resumed(tmp_path: Path) -> None:
    (tmp_path / PART_NOTE).write_text('{"source": "", "validator": "\\"one\\"", "total": 9}')
    with (tmp_path / FETCHED_PART).open("wb") as file:
        file.write(b"12345")
        file.flush()
        assert Part(tmp_path).begun == 5
        fcntl.flock(file, fcntl.LOCK_EX)
        assert Part(tmp_path).begun == 0


def test_what_arrived_of_another_address_goes(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    dataset_id = begin(ada, server, Ranged(b"?" * 1000, breaks=web.LINES, ETag='"one"'))
    assert run(dataset_id) == "error"
    other = server.routes["/b.zip"] = Ranged(archive(tmp_path), ETag='"one"')
    with session_scope() as session:
        request_fetch(session, ada, dataset_id, {"type": "url", "url": f"{server.url}/b.zip"})
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    assert other.sent == [(200, 0)]
    assert nothing_lies_about()
