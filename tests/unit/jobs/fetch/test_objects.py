"""Downloads of many objects: what stays, what is requested again, and what ends the fetch."""

import errno
import fcntl
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.fetch import retry
from jobs.fetch.cloud import list_objects
from jobs.fetch.failures import describe_failure, is_temporary
from jobs.fetch.object_folder import ObjectFolder, PartialObject, RemoteObject
from jobs.fetch.objects import fetch_objects
from jobs.fetch.report import Problem, Progress
from jobs.fetch.retry import Retry
from orchestrator.services.datasets.files import partial_bytes

A, B = RemoteObject("set/a", "a", 10, "one"), RemoteObject("set/b", "b", 20, "one")
SOURCE = {"type": "cloud", "uri": "s3://films/set"}


class Scripted:
    """A store whose connections deliver so many bytes each, then break; after these one that does not break."""

    def __init__(self, *connections: int, error: type[Exception] = ConnectionResetError, ranges: bool = True) -> None:
        self._connections, self._error, self._ranges = list(connections), error, ranges
        self.requested: list[tuple[str, int]] = []

    def copy(self, remote: RemoteObject, target: PartialObject) -> None:
        self.requested.append((remote.name, target.size))
        if target.size and not self._ranges:
            target.restart()
        data = content(remote)[target.size :]
        if self._connections:
            target.write(data[: self._connections.pop(0)])
            raise self._error
        target.write(data)


def content(remote: RemoteObject) -> bytes:
    return (remote.name + remote.version).encode()[:1] * remote.size


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses so far. None is waited for; the clock advances by them."""
    pauses: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", pauses.append)
    monkeypatch.setattr(retry.time, "monotonic", lambda: sum(pauses))
    return pauses


def fetch(
    folder: Path, store: Scripted, objects: Sequence[RemoteObject] = (A, B), max_bytes: int = 1000
) -> dict[str, bytes]:
    downloads = ObjectFolder(folder, SOURCE["uri"], ("s3", ""))
    files = fetch_objects(objects, store, downloads, Progress(max_bytes, 30, min_rate=0), timeout_s=30)
    return {name: path.read_bytes() for path, name in files}


COMPLETE = {"a": content(A), "b": content(B)}


def test_a_broken_connection_is_continued(tmp_path: Path, pauses: list[float]) -> None:
    store = Scripted(4, 0, 3, 0, 0)
    assert fetch(tmp_path, store) == COMPLETE
    assert store.requested == [("a", 0), ("a", 4), ("a", 4), ("a", 7), ("a", 7), ("a", 7), ("b", 0)]
    assert pauses == [0.5, 1, 0.5, 1, 2]


def test_a_connection_that_stays_broken_ends_the_fetch_after_the_timeout(tmp_path: Path, pauses: list[float]) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    assert pauses[:3] == [0.5, 0.5, 1]
    assert 30 <= sum(pauses) < 70
    assert partial_bytes(tmp_path, SOURCE) == 15
    assert partial_bytes(tmp_path, {"type": "cloud", "uri": "s3://films/other"}) == 0
    again = Scripted()
    assert fetch(tmp_path, again) == COMPLETE
    assert again.requested == [("b", 5)]


def test_a_permanent_failure_ends_the_fetch_at_once(tmp_path: Path, pauses: list[float]) -> None:
    with pytest.raises(PermissionError):
        fetch(tmp_path, Scripted(5, error=PermissionError))
    assert pauses == []
    with pytest.raises(Problem, match="a was changed or deleted while it was fetched"):
        fetch(tmp_path, Scripted(0, error=FileNotFoundError))


def test_bytes_of_a_store_without_ranges_are_counted_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(tmp_path, Scripted(4, 6, ranges=False)) == COMPLETE
    reported = [json.loads(line)["done"] for line in capsys.readouterr().out.splitlines()]
    assert max(reported) <= 30


@pytest.mark.parametrize(
    "other",
    [replace(B, version="two"), replace(B, size=21), replace(B, key="set/c")],
    ids=["version", "size", "key"],
)
def test_a_changed_object_has_none_of_the_old_bytes(tmp_path: Path, other: RemoteObject) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    again = Scripted()
    assert fetch(tmp_path, again, (A, other)) == {"a": content(A), "b": content(other)}
    assert again.requested == [("b", 0)]


def test_another_store_has_none_of_the_old_bytes(tmp_path: Path) -> None:
    fetch(tmp_path, Scripted())
    other = ObjectFolder(tmp_path, SOURCE["uri"], ("s3", "https://elsewhere.example"))
    assert other.delete_others((A, B)) == 0
    assert partial_bytes(tmp_path) == 0


def test_an_object_without_a_version_starts_again(tmp_path: Path) -> None:
    unversioned = replace(A, version="")
    store = Scripted(4)
    assert fetch(tmp_path, store, [unversioned]) == {"a": content(unversioned)}
    assert store.requested == [("a", 0), ("a", 0)]
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(4, *[0] * 20), [unversioned])
    assert partial_bytes(tmp_path) == 0


def test_progress_starts_with_what_has_arrived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    capsys.readouterr()
    fetch(tmp_path, Scripted())
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == {"done": 15, "total": 30}


def test_the_size_limit_counts_what_has_arrived(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    with pytest.raises(Problem, match="at most 29\u00a0B are accepted here"):
        fetch(tmp_path, Scripted(), max_bytes=29)
    assert partial_bytes(tmp_path) == 0
    assert fetch(tmp_path, Scripted(4, 2), max_bytes=30) == COMPLETE


def test_an_endless_object(tmp_path: Path) -> None:
    class Endless(Scripted):
        def copy(self, remote: RemoteObject, target: PartialObject) -> None:
            while True:
                target.write(b"1234")

    with pytest.raises(Problem, match="a is larger than its list says"):
        fetch(tmp_path, Endless())


def test_a_file_that_another_process_writes_to_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(5, *[0] * 20))
    [target] = tmp_path.glob("*.half")
    with target.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        store = Scripted()
        assert fetch(tmp_path, store) == COMPLETE
        file.write(b"late")
    assert store.requested == [("a", 0), ("b", 0)]
    assert fetch(tmp_path, Scripted()) == COMPLETE
    reported = [json.loads(line)["done"] for line in capsys.readouterr().out.splitlines()]
    assert max(reported) <= 30


class PagedStore:
    """Lists two objects a page; requests for the named pages fail so often before they succeed."""

    def __init__(self, names: Sequence[str], failures: dict[str, int] | None = None) -> None:
        self._names, self._failures, self.requested = sorted(names), failures or {}, list[str]()

    def stat(self, bucket: str, name: str) -> tuple[str, int, str] | None:
        self._fail(name)
        return (name, 7, "one") if name in self._names else None

    def page(self, bucket: str, prefix: str, after: str) -> tuple[list[tuple[str, int, str]], str]:
        self._fail(f"after {after}")
        below = [name for name in self._names if name.startswith(prefix) and name > after]
        return [(name, 7, "one") for name in below[:2]], below[1] if len(below) > 2 else ""

    def _fail(self, request: str) -> None:
        self.requested.append(request)
        if self._failures.get(request, 0) > 0:
            self._failures[request] -= 1
            raise ConnectionResetError


def listed(store: PagedStore, path: str) -> dict[str, str]:
    """{key: name} of the objects that would be fetched."""
    objects = list_objects(store, "films", path, Retry(30, Progress(1000, 30)))  # pyright: ignore[reportArgumentType]
    return {remote.key: remote.name for remote in objects}


def test_an_interrupted_list_continues_at_the_same_page(pauses: list[float]) -> None:
    store = PagedStore(
        ["set/a.mp4", "set/b.mp4", "set/c.mp4", "set/d/e.mp4", "set/f.MP4", "settings/g.mp4", "h.mp4"],
        {"after ": 2, "after set/d/e.mp4": 3},
    )
    names = ["a.mp4", "b.mp4", "c.mp4", "d/e.mp4", "f.MP4"]
    assert listed(store, "set") == {f"films/set/{name}": name for name in names}
    assert store.requested == ["after "] * 3 + ["after set/b.mp4"] + ["after set/d/e.mp4"] * 4
    assert pauses == [0.5, 1, 0.5, 1, 2]
    assert len(listed(store, "")) == 7


def test_a_list_that_stays_unavailable_ends_the_fetch_after_the_timeout(pauses: list[float]) -> None:
    with pytest.raises(ConnectionResetError):
        listed(PagedStore(["set/a.mp4"], {"after ": 99}), "set")
    assert 30 <= sum(pauses) < 70


def test_only_importable_objects_are_listed(pauses: list[float]) -> None:
    store = PagedStore(["set/a.zip", "set/a.zip/b.mp4", "set/c.pdf", "set/d.mp4/", "set/._e.mp4"], {"set/a.zip": 1})
    assert listed(store, "set/a.zip") == {"films/set/a.zip": "a.zip"}
    assert store.requested == ["set/a.zip"] * 2
    assert listed(store, "set") == {"films/set/a.zip": "a.zip", "films/set/a.zip/b.mp4": "a.zip/b.mp4"}
    assert listed(PagedStore(["set/a.zip/b.mp4"]), "set/a.zip") == {"films/set/a.zip/b.mp4": "b.mp4"}
    assert listed(store, "nothing") == {}


def gcsfs_error(status: int) -> Exception:
    from gcsfs.retry import HttpError

    return HttpError({"code": status, "message": "key=canary"})


def gcsfs_forbidden() -> Exception:
    from gcsfs.retry import validate_response

    with pytest.raises(OSError, match="Forbidden") as caught:
        validate_response(403, b"key=canary", "films/set")
    return caught.value


def s3_error(status: int, code: str) -> Exception:
    from botocore.exceptions import ClientError
    from s3fs.errors import translate_boto_error

    facts = {"Error": {"Code": code, "Message": "key=canary"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return translate_boto_error(ClientError(facts, "GetObject"))  # pyright: ignore[reportReturnType]


def azure_error(status: int) -> Exception:
    from azure.core.exceptions import HttpResponseError

    error = HttpResponseError("key=canary")
    error.status_code = status
    return error


def interrupted_range() -> Exception:
    """As Azure's library wraps it."""
    from azure.core.exceptions import HttpResponseError, IncompleteReadError

    outer = HttpResponseError("key=canary")
    inner = IncompleteReadError("key=canary")
    inner.status_code, outer.__cause__ = 206, inner
    return outer


def timed_out_range() -> Exception:
    """As Azure's library wraps it."""
    from azure.core.exceptions import HttpResponseError, ServiceResponseTimeoutError

    outer = HttpResponseError("key=canary")
    outer.__cause__ = ServiceResponseTimeoutError("key=canary")
    return outer


def interrupted_body() -> Exception:
    from aiohttp.client_exceptions import ClientPayloadError
    from aiohttp.http_exceptions import ContentLengthError

    error = ClientPayloadError("key=canary")
    error.__cause__ = ContentLengthError("key=canary")  # which says of itself that its code is 400
    return error


@pytest.mark.parametrize(
    ("make", "temporary", "words"),
    [
        (lambda: gcsfs_error(503), True, "busy"),
        (lambda: gcsfs_error(401), False, "refuses these credentials"),
        (gcsfs_forbidden, False, "refuses these credentials"),
        (lambda: s3_error(503, "SlowDown"), True, "busy"),
        (lambda: s3_error(500, "InternalError"), True, "answered with an error (500)"),
        (lambda: s3_error(403, "AccessDenied"), False, "refuses these credentials"),
        (lambda: s3_error(403, "ExpiredToken"), False, "refuses these credentials"),
        (lambda: s3_error(404, "NoSuchBucket"), False, "no such bucket"),
        (lambda: azure_error(403), False, "refuses these credentials"),
        (lambda: azure_error(500), True, "answered with an error (500)"),
        (interrupted_range, True, "broke off"),
        (interrupted_body, True, "broke off"),
        (timed_out_range, True, "in time"),
        (ConnectionResetError, True, "broke off"),
        (ConnectionRefusedError, True, "cannot be reached"),
        (TimeoutError, True, "in time"),
        (lambda: OSError(errno.ENOSPC, "key=canary"), False, "disk is full"),
        (lambda: ValueError("key=canary"), False, "could not be fetched (ValueError)"),
        (lambda: Problem("A sentence."), False, "A sentence."),
    ],
)
def test_failures_are_judged_and_described(make: Callable[[], Exception], temporary: bool, words: str) -> None:
    error = make()
    assert is_temporary(error) is temporary
    assert words in describe_failure(error)
    assert "canary" not in describe_failure(error)
