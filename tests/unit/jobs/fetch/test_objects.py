"""Objects that arrive one after the other: what stays, what is asked for again, and what ends it."""

import errno
import fcntl
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.fetch import patience
from jobs.fetch.cloud import list_objects
from jobs.fetch.failures import may_pass, sentence
from jobs.fetch.kept import Half, Kept, Object
from jobs.fetch.objects import fetch_objects
from jobs.fetch.patience import Patience
from jobs.fetch.report import Problem, Progress
from orchestrator.services.datasets.files import partial_bytes

A, B = Object("set/a", "a", 10, "one"), Object("set/b", "b", 20, "one")
SOURCE = {"type": "cloud", "uri": "s3://films/set"}


class Scripted:
    """A store whose lines bring so many bytes each, then break; the last one carries on."""

    def __init__(self, *lines: int, error: type[Exception] = ConnectionResetError, ranges: bool = True) -> None:
        self._lines, self._error, self._ranges = list(lines), error, ranges
        self.asked: list[tuple[str, int]] = []

    def copy(self, one: Object, half: Half) -> None:
        self.asked.append((one.name, half.size))
        if half.size and not self._ranges:
            half.restart()
        data = content(one)[half.size :]
        if self._lines:
            half.write(data[: self._lines.pop(0)])
            raise self._error
        half.write(data)


def content(one: Object) -> bytes:
    return (one.name + one.version).encode()[:1] * one.size


@pytest.fixture(autouse=True)
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of which is waited for: the clock goes on by them."""
    made: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", made.append)
    monkeypatch.setattr(patience.time, "monotonic", lambda: sum(made))
    return made


def fetch(folder: Path, store: Scripted, wanted: Sequence[Object] = (A, B), most: int = 1000) -> dict[str, bytes]:
    kept = Kept(folder, SOURCE["uri"], ("s3", ""))
    brought = fetch_objects(wanted, store, kept, Progress(most, 30, least=0), patience_s=30)
    return {name: path.read_bytes() for path, name in brought}


WHOLE = {"a": content(A), "b": content(B)}


def test_a_broken_connection_is_resumed(tmp_path: Path, rests: list[float]) -> None:
    store = Scripted(4, 0, 3, 0, 0)
    assert fetch(tmp_path, store) == WHOLE
    assert store.asked == [("a", 0), ("a", 4), ("a", 4), ("a", 7), ("a", 7), ("a", 7), ("b", 0)]
    assert rests == [0.5, 1, 0.5, 1, 2]


def test_a_line_that_stays_broken_ends_it_after_a_while(tmp_path: Path, rests: list[float]) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    assert rests[:3] == [0.5, 0.5, 1]
    assert 30 <= sum(rests) < 70
    assert partial_bytes(tmp_path, SOURCE) == 15
    assert partial_bytes(tmp_path, {"type": "cloud", "uri": "s3://films/other"}) == 0
    again = Scripted()
    assert fetch(tmp_path, again) == WHOLE
    assert again.asked == [("b", 5)]


def test_what_cannot_pass_ends_it_at_once(tmp_path: Path, rests: list[float]) -> None:
    with pytest.raises(PermissionError):
        fetch(tmp_path, Scripted(5, error=PermissionError))
    assert rests == []
    with pytest.raises(Problem, match="a was changed or deleted while it was fetched"):
        fetch(tmp_path, Scripted(0, error=FileNotFoundError))


def test_a_store_that_sends_everything_again_is_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(tmp_path, Scripted(4, 6, ranges=False)) == WHOLE
    told = [json.loads(line)["done"] for line in capsys.readouterr().out.splitlines()]
    assert max(told) <= 30


@pytest.mark.parametrize(
    "other",
    [replace(B, version="two"), replace(B, size=21), replace(B, key="set/c")],
    ids=["version", "size", "key"],
)
def test_another_object_has_none_of_the_old_bytes(tmp_path: Path, other: Object) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    again = Scripted()
    assert fetch(tmp_path, again, (A, other)) == {"a": content(A), "b": content(other)}
    assert again.asked == [("b", 0)]


def test_another_store_has_none_of_the_old_bytes(tmp_path: Path) -> None:
    fetch(tmp_path, Scripted())
    kept = Kept(tmp_path, SOURCE["uri"], ("s3", "https://elsewhere.example"))
    assert kept.sort_out((A, B)) == 0
    assert partial_bytes(tmp_path) == 0


def test_without_a_version_it_starts_over(tmp_path: Path) -> None:
    nameless = replace(A, version="")
    store = Scripted(4)
    assert fetch(tmp_path, store, [nameless]) == {"a": content(nameless)}
    assert store.asked == [("a", 0), ("a", 0)]
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(4, *[0] * 20), [nameless])
    assert partial_bytes(tmp_path) == 0


def test_the_count_begins_with_what_is_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    capsys.readouterr()
    fetch(tmp_path, Scripted())
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == {"done": 15, "total": 30}


def test_more_than_allowed_with_what_is_here(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(10, 5, *[0] * 20))
    with pytest.raises(Problem, match="at most 29\u00a0bytes are accepted here"):
        fetch(tmp_path, Scripted(), most=29)
    assert partial_bytes(tmp_path) == 0
    assert fetch(tmp_path, Scripted(4, 2), most=30) == WHOLE


def test_an_object_that_does_not_end(tmp_path: Path) -> None:
    class Endless(Scripted):
        def copy(self, one: Object, half: Half) -> None:
            while True:
                half.write(b"1234")

    with pytest.raises(Problem, match="a is larger than its list says"):
        fetch(tmp_path, Endless())


def test_what_another_child_still_writes_to_is_left_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(tmp_path, Scripted(5, *[0] * 20))
    [half] = tmp_path.glob("*.half")
    with half.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        store = Scripted()
        assert fetch(tmp_path, store) == WHOLE
        file.write(b"late")
    assert store.asked == [("a", 0), ("b", 0)]
    assert fetch(tmp_path, Scripted()) == WHOLE
    told = [json.loads(line)["done"] for line in capsys.readouterr().out.splitlines()]
    assert max(told) <= 30


class Shelf:
    """A list of two rows a page; the pages that are named break so often before they come."""

    def __init__(self, names: Sequence[str], breaks: dict[str, int] | None = None) -> None:
        self._names, self._breaks, self.asked = sorted(names), breaks or {}, list[str]()

    def about(self, bucket: str, name: str) -> tuple[str, int, str] | None:
        self._break(name)
        return (name, 7, "one") if name in self._names else None

    def page(self, bucket: str, prefix: str, after: str) -> tuple[list[tuple[str, int, str]], str]:
        self._break(f"after {after}")
        below = [name for name in self._names if name.startswith(prefix) and name > after]
        return [(name, 7, "one") for name in below[:2]], below[1] if len(below) > 2 else ""

    def _break(self, asked: str) -> None:
        self.asked.append(asked)
        if self._breaks.get(asked, 0) > 0:
            self._breaks[asked] -= 1
            raise ConnectionResetError


def listed(shelf: Shelf, path: str) -> dict[str, str]:
    """{key: name} of what would be fetched."""
    found = list_objects(shelf, "films", path, Patience(30, Progress(1000, 30)))  # pyright: ignore[reportArgumentType]
    return {one.key: one.name for one in found}


def test_a_list_goes_on_from_the_page_that_broke(rests: list[float]) -> None:
    shelf = Shelf(
        ["set/a.mp4", "set/b.mp4", "set/c.mp4", "set/d/e.mp4", "set/f.MP4", "settings/g.mp4", "h.mp4"],
        {"after ": 2, "after set/d/e.mp4": 3},
    )
    names = ["a.mp4", "b.mp4", "c.mp4", "d/e.mp4", "f.MP4"]
    assert listed(shelf, "set") == {f"films/set/{name}": name for name in names}
    assert shelf.asked == ["after "] * 3 + ["after set/b.mp4"] + ["after set/d/e.mp4"] * 4
    assert rests == [0.5, 1, 0.5, 1, 2]
    assert len(listed(shelf, "")) == 7


def test_a_list_that_does_not_come_ends_it_after_a_while(rests: list[float]) -> None:
    with pytest.raises(ConnectionResetError):
        listed(Shelf(["set/a.mp4"], {"after ": 99}), "set")
    assert 30 <= sum(rests) < 70


def test_what_is_listed(rests: list[float]) -> None:
    shelf = Shelf(["set/a.zip", "set/a.zip/b.mp4", "set/c.pdf", "set/d.mp4/", "set/._e.mp4"], {"set/a.zip": 1})
    assert listed(shelf, "set/a.zip") == {"films/set/a.zip": "a.zip"}
    assert shelf.asked == ["set/a.zip"] * 2
    assert listed(shelf, "set") == {"films/set/a.zip": "a.zip", "films/set/a.zip/b.mp4": "a.zip/b.mp4"}
    assert listed(Shelf(["set/a.zip/b.mp4"]), "set/a.zip") == {"films/set/a.zip/b.mp4": "b.mp4"}
    assert listed(shelf, "nothing") == {}


def of_gcsfs(status: int) -> Exception:
    from gcsfs.retry import HttpError

    return HttpError({"code": status, "message": "key=hush"})


def gcsfs_forbids() -> Exception:
    from gcsfs.retry import validate_response

    with pytest.raises(OSError, match="Forbidden") as caught:
        validate_response(403, b"key=hush", "films/set")
    return caught.value


def of_s3(status: int, code: str) -> Exception:
    from botocore.exceptions import ClientError
    from s3fs.errors import translate_boto_error

    facts = {"Error": {"Code": code, "Message": "key=hush"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return translate_boto_error(ClientError(facts, "GetObject"))  # pyright: ignore[reportReturnType]


def of_azure(status: int) -> Exception:
    from azure.core.exceptions import HttpResponseError

    error = HttpResponseError("key=hush")
    error.status_code = status
    return error


def broken_range() -> Exception:
    """As Azure's library wraps it."""
    from azure.core.exceptions import HttpResponseError, IncompleteReadError

    outer = HttpResponseError("key=hush")
    inner = IncompleteReadError("key=hush")
    inner.status_code, outer.__cause__ = 206, inner
    return outer


def silent_range() -> Exception:
    """As Azure's library wraps it."""
    from azure.core.exceptions import HttpResponseError, ServiceResponseTimeoutError

    outer = HttpResponseError("key=hush")
    outer.__cause__ = ServiceResponseTimeoutError("key=hush")
    return outer


def broken_body() -> Exception:
    from aiohttp.client_exceptions import ClientPayloadError
    from aiohttp.http_exceptions import ContentLengthError

    error = ClientPayloadError("key=hush")
    error.__cause__ = ContentLengthError("key=hush")  # which says of itself that its code is 400
    return error


@pytest.mark.parametrize(
    ("make", "passes", "words"),
    [
        (lambda: of_gcsfs(503), True, "busy"),
        (lambda: of_gcsfs(401), False, "refuses these credentials"),
        (gcsfs_forbids, False, "refuses these credentials"),
        (lambda: of_s3(503, "SlowDown"), True, "busy"),
        (lambda: of_s3(500, "InternalError"), True, "answered with an error (500)"),
        (lambda: of_s3(403, "AccessDenied"), False, "refuses these credentials"),
        (lambda: of_s3(403, "ExpiredToken"), False, "refuses these credentials"),
        (lambda: of_s3(404, "NoSuchBucket"), False, "no such bucket"),
        (lambda: of_azure(403), False, "refuses these credentials"),
        (lambda: of_azure(500), True, "answered with an error (500)"),
        (broken_range, True, "broke off"),
        (broken_body, True, "broke off"),
        (silent_range, True, "in time"),
        (ConnectionResetError, True, "broke off"),
        (ConnectionRefusedError, True, "cannot be reached"),
        (TimeoutError, True, "in time"),
        (lambda: OSError(errno.ENOSPC, "key=hush"), False, "disk is full"),
        (lambda: ValueError("key=hush"), False, "could not be fetched (ValueError)"),
        (lambda: Problem("A sentence."), False, "A sentence."),
    ],
)
def test_which_failures_pass_and_their_sentences(make: Callable[[], Exception], passes: bool, words: str) -> None:
    error = make()
    assert may_pass(error) is passes
    assert words in sentence(error)
    assert "hush" not in sentence(error)
