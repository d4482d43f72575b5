"""An interrupted fetch from a web address continues where it was; the server really breaks the connection."""

import fcntl
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from jobs.fetch import web
from jobs.fetch.partial_file import PartialFile
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import FETCHED_PART, PART_NOTE, fetch_folders, partial_bytes
from orchestrator.services.datasets.ingest.sources import request_fetch
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.web_server import Ranged, WebServer, web_server
from tests.integration.test_fetch import dataset_of, dataset_to_fetch, run, zip_of_clips
from tests.studio import RedisProcess


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


@pytest.fixture(autouse=True)
def private_urls_allowed(monkeypatch: pytest.MonkeyPatch, home: Path, redis_server: RedisProcess) -> None:
    """Lets servers of this machine be contacted."""
    monkeypatch.setenv("LOREEL_ALLOW_PRIVATE_URLS", "true")
    get_settings.cache_clear()


def serve(ada: Actor, server: WebServer, answer: Ranged) -> int:
    server.routes["/a.zip"] = answer
    return dataset_to_fetch(ada, {"type": "url", "url": f"{server.url}/a.zip"})


def fetch_again(ada: Actor, dataset_id: int) -> str:
    with session_scope() as session:
        request_fetch(session, ada, dataset_id)
    return run(dataset_id)


def no_uploads_left() -> bool:
    return not list((get_settings().data_dir / "uploads").iterdir())


YESTERDAY = formatdate(1_700_000_000, usegmt=True)


@pytest.mark.parametrize("validator", [{"ETag": '"one"'}, {"Last_Modified": YESTERDAY}])
def test_a_broken_connection_is_continued(
    ada: Actor, server: WebServer, tmp_path: Path, validator: dict[str, str]
) -> None:
    data = zip_of_clips(tmp_path)
    answer = Ranged(data, breaks=2, **validator)
    dataset_id = serve(ada, server, answer)
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    half = len(data) // 2
    assert answer.sent == [(200, 0), (206, half), (206, half + (len(data) - half) // 2)]
    assert dataset_of(dataset_id).clip_count == 4
    assert no_uploads_left()


def test_what_arrived_stays_for_the_next_attempt(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    answer = Ranged(zip_of_clips(tmp_path), breaks=web.MAX_ATTEMPTS, ETag='"one"')
    dataset_id = serve(ada, server, answer)
    assert run(dataset_id) == "error"
    assert "KB are stored; fetching it again within two days" in dataset_of(dataset_id).error
    [folder] = fetch_folders(dataset_id)
    partial = partial_bytes(folder)
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert answer.sent[-1] == (206, partial)
    assert len(answer.sent) == web.MAX_ATTEMPTS + 1
    assert no_uploads_left()


def test_a_changed_file_is_fetched_from_its_start(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    data = zip_of_clips(tmp_path)
    dataset_id = serve(ada, server, Ranged(b"?" * 5000, breaks=web.MAX_ATTEMPTS, ETag='"one"'))
    assert run(dataset_id) == "error"
    changed = server.routes["/a.zip"] = Ranged(data, ETag='"two"')
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert changed.sent == [(200, 0)]


def test_a_server_that_ignores_if_range_is_noticed(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    """It would send the rest of another file, which its size and its ETag show."""
    data = zip_of_clips(tmp_path)
    dataset_id = serve(ada, server, Ranged(b"?" * 1000, breaks=web.MAX_ATTEMPTS, ETag='"one"'))
    assert run(dataset_id) == "error"

    class Careless(Ranged):
        def __call__(self, handler) -> None:
            if "If-Range" in handler.headers:
                handler.headers.replace_header("If-Range", '"two"')
            super().__call__(handler)

    careless = server.routes["/a.zip"] = Careless(data, ETag='"two"')
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert [status for status, _ in careless.sent] == [206, 200]


@pytest.mark.parametrize("validator", [{}, {"ETag": 'W/"one"'}])
def test_a_file_without_a_strong_validator_starts_again(
    ada: Actor, server: WebServer, tmp_path: Path, validator: dict[str, str]
) -> None:
    answer = Ranged(zip_of_clips(tmp_path), breaks=1, **validator)
    dataset_id = serve(ada, server, answer)
    assert run(dataset_id) == "error"
    assert "are stored" not in dataset_of(dataset_id).error
    assert no_uploads_left()
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert answer.sent == [(200, 0), (200, 0)]


def test_of_a_complete_file_only_the_last_byte_is_requested_again(
    ada: Actor, server: WebServer, tmp_path: Path
) -> None:
    data = zip_of_clips(tmp_path)
    answer = Ranged(data, breaks=web.MAX_ATTEMPTS, ETag='"one"')
    dataset_id = serve(ada, server, answer)
    assert run(dataset_id) == "error"
    [folder] = fetch_folders(dataset_id)
    (folder / FETCHED_PART).write_bytes(data)
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert answer.sent[-1] == (206, len(data) - 1)


def test_a_file_that_another_process_writes_to_is_not_continued(tmp_path: Path) -> None:
    (tmp_path / PART_NOTE).write_text('{"source": "", "validator": "\\"one\\"", "total": 9}')
    with (tmp_path / FETCHED_PART).open("wb") as file:
        file.write(b"12345")
        file.flush()
        assert PartialFile(tmp_path).size == 5
        fcntl.flock(file, fcntl.LOCK_EX)
        assert PartialFile(tmp_path).size == 0


def test_what_arrived_from_another_address_is_deleted(ada: Actor, server: WebServer, tmp_path: Path) -> None:
    dataset_id = serve(ada, server, Ranged(b"?" * 1000, breaks=web.MAX_ATTEMPTS, ETag='"one"'))
    assert run(dataset_id) == "error"
    other = server.routes["/b.zip"] = Ranged(zip_of_clips(tmp_path), ETag='"one"')
    with session_scope() as session:
        request_fetch(session, ada, dataset_id, {"type": "url", "url": f"{server.url}/b.zip"})
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    assert other.sent == [(200, 0)]
    assert no_uploads_left()
