"""Fetches datasets from real servers: files and buckets arrive, and everything hostile ends with a sentence."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from jobs.fetch.dataset_source import STOPPED, fetch_source
from orchestrator.domain.datasets import FETCHING, Clip, Dataset, DatasetStatus, Upload
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.credentials import save_credential
from orchestrator.services.datasets.ingest.pipeline import fail_import
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.azure_server import ACCOUNT, KEY, AzureServer, azure_server
from tests.fakes.videos import class_folders, draw_clip, zip_folder
from tests.fakes.web_server import WebServer, dripping, endless, file, redirect, silent, web_server
from tests.ingest import import_now


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


@pytest.fixture
def private_urls_allowed(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Lets servers of this machine be contacted."""
    monkeypatch.setenv("LOREEL_ALLOW_PRIVATE_URLS", "true")
    monkeypatch.setenv("LOREEL_FETCH_PATIENCE_S", "1")
    get_settings.cache_clear()


def dataset_to_fetch(actor: Actor, source: dict, task: Task = Task.CLASSIFICATION) -> int:
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name="mine", task=task, status=DatasetStatus.PROCESSING)
        dataset.source, dataset.stage = source, FETCHING
        session.add(dataset)
        session.flush()
        return dataset.id or 0


def run(dataset_id: int, should_continue: Callable[[], bool] = lambda: True) -> str:
    """What `jobs.datasets.ingest.run_ingest` does, without its lease."""
    problem = fetch_source(dataset_id, should_continue)
    if problem:
        return problem if problem == STOPPED else fail_import(dataset_id, problem)
    return import_now(dataset_id)


def dataset_of(dataset_id: int) -> Dataset:
    with session_scope() as session:
        return session.get_one(Dataset, dataset_id)


def no_uploads_left() -> bool:
    with session_scope() as session:
        assert session.exec(select(Upload)).all() == []
        assert session.exec(select(Clip)).all() == []
    return not list((get_settings().data_dir / "uploads").iterdir())


def zip_of_clips(tmp_path: Path) -> bytes:
    return zip_folder(class_folders(tmp_path / "c", {"left": 2, "right": 2}), tmp_path / "a.zip").read_bytes()


def test_an_archive_is_fetched_through_a_redirect(
    ada: Actor, private_urls_allowed: None, server: WebServer, tmp_path: Path
) -> None:
    server.routes["/get"] = redirect("/really/gestures.zip?sig=1")
    server.routes["/really/gestures.zip"] = file(zip_of_clips(tmp_path), Content_Type="application/octet-stream")
    dataset_id = dataset_to_fetch(ada, {"type": "url", "url": f"{server.url}/get"})
    assert run(dataset_id) == "ready"
    dataset = dataset_of(dataset_id)
    assert (dataset.clip_count, dataset.class_names, dataset.stage) == (4, ["left", "right"], "")
    assert not list((get_settings().data_dir / "uploads").iterdir())


HOSTILE = {
    "endless": (endless, "the most that is accepted"),
    "dripping": (dripping, "sends too slowly"),
    "silent": (silent, "does not answer in time"),
    "a page": (file(b"<html>", Content_Type="text/html; charset=utf-8"), "a web page, not with a file"),
    "empty": (file(b""), "is empty"),
    "huge": (file(b"x", Content_Length=str(10**15)), "are accepted here"),
    "lying": (file(b"x" * 100, Content_Length="5000"), "broke off"),
    "login": (lambda handler: handler.send(b"", 403), "asks for a login (403)"),
    "failing": (lambda handler: handler.send(b"", 500), "answered with 500"),
    "to a file": (redirect("file:///etc/passwd"), "was redirected. Enter an address that begins with https"),
    "in circles": (redirect("/x"), "more than 5 times"),
    "not a zip": (
        file(b"PK\x03\x04 but no zip", Content_Disposition='attachment; filename="../../a.zip"'),
        "a.zip is not a zip",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_ends_the_fetch_with_a_sentence_and_no_files(
    ada: Actor, private_urls_allowed: None, server: WebServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LOREEL_MAX_UPLOAD_BYTES", "1000000")
    get_settings.cache_clear()
    answer, sentence = HOSTILE[name]
    server.routes["/x"] = answer
    dataset_id = dataset_to_fetch(ada, {"type": "url", "url": f"{server.url}/x"})
    assert run(dataset_id) == "error"
    assert sentence in dataset_of(dataset_id).error
    assert no_uploads_left()


def test_an_address_without_a_file_or_a_server(ada: Actor, private_urls_allowed: None, server: WebServer) -> None:
    for url, sentence in (
        (f"{server.url}/none", "nothing at this address"),
        ("http://127.0.0.1:9/x", "cannot be reached"),
    ):
        dataset_id = dataset_to_fetch(ada, {"type": "url", "url": url})
        assert run(dataset_id) == "error"
        assert sentence in dataset_of(dataset_id).error


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_private_address_is_never_contacted(ada: Actor, server: WebServer, host: str) -> None:
    """The connection itself is refused, whatever was checked before: a name may resolve to another address by now."""
    dataset_id = dataset_to_fetch(ada, {"type": "url", "url": f"http://{host}:{server.server_port}/x"})
    assert run(dataset_id) == "error"
    assert "private network" in dataset_of(dataset_id).error
    assert server.asked == []


def test_a_bucket_on_a_private_address_is_never_contacted(ada: Actor, server: WebServer) -> None:
    from orchestrator.services.vault import seal

    with session_scope() as session:
        row = save_credential(session, ada, "s3", "k", {"access_key": "a" * 12, "secret_key": "s" * 12})
        from orchestrator.domain.credentials import Credential

        # As if a public name resolved to this machine by now.
        session.get_one(Credential, row.id).sealed = seal(
            {"access_key": "a" * 12, "secret_key": "s" * 12, "endpoint": server.url, "region": "us-east-1"}
        )
    dataset_id = dataset_to_fetch(ada, {"type": "cloud", "uri": "s3://films/set", "credential_id": row.id})
    assert run(dataset_id) == "error"
    assert "private network" in dataset_of(dataset_id).error
    assert server.asked == []


def test_a_fetch_is_cancelled(ada: Actor, private_urls_allowed: None, server: WebServer) -> None:
    server.routes["/x"] = endless
    dataset_id = dataset_to_fetch(ada, {"type": "url", "url": f"{server.url}/x"})
    began = time.monotonic()
    assert run(dataset_id, lambda: not server.asked and time.monotonic() - began < 60) == STOPPED
    assert no_uploads_left()


def test_s3_with_credentials(ada: Actor, private_urls_allowed: None, tmp_path: Path) -> None:
    from moto.server import ThreadedMotoServer

    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    try:
        host, port = store.get_host_and_port()
        endpoint, keys = f"http://{host}:{port}", {"access_key": "AKIAEXAMPLE12", "secret_key": "secret"}
        fill_s3(endpoint, keys, tmp_path)
        with session_scope() as session:
            values = keys | {"endpoint": endpoint, "region": "us-east-1"}
            credential_id = save_credential(session, ada, "s3", "films", values).id
        dataset_id = dataset_to_fetch(ada, {"type": "cloud", "uri": "s3://films/set/", "credential_id": credential_id})
        assert run(dataset_id) == "ready", dataset_of(dataset_id).error
        assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).bad_count) == (4, 0)
        other = dataset_to_fetch(ada, {"type": "cloud", "uri": "s3://nowhere/set", "credential_id": credential_id})
        assert run(other) == "error"
        assert "no such bucket" in dataset_of(other).error
    finally:
        store.stop()


def fill_s3(endpoint: str, keys: dict[str, str], tmp_path: Path) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["access_key"],
        aws_secret_access_key=keys["secret_key"],
    )
    client.create_bucket(Bucket="films")
    folder = class_folders(tmp_path / "s3", {"left": 2, "right": 2})
    for path in folder.rglob("*.mp4"):
        client.put_object(Bucket="films", Key=f"set/{path.relative_to(folder).as_posix()}", Body=path.read_bytes())
    client.put_object(Bucket="films", Key="other/x.mp4", Body=b"not requested")
    client.put_object(Bucket="films", Key="set/notes.pdf", Body=b"not fetched")


def test_gs_without_credentials(
    ada: Actor, private_urls_allowed: None, server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = draw_clip(tmp_path / "a.mp4").read_bytes()
    server.objects = {"set/a.mp4": clip, "set/a.txt": b"A square moves.", "set/big.bin": b"no"}
    monkeypatch.setattr("jobs.fetch.dataset_source.credential_secret", lambda *_: {"endpoint": server.url})
    dataset_id = dataset_to_fetch(ada, {"type": "cloud", "uri": "gs://films/set", "credential_id": 1}, Task.CAPTIONING)
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    with session_scope() as session:
        assert [clip.caption for clip in session.exec(select(Clip))] == ["A square moves."]


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[AzureServer]:
    """An account with clips in the container films, below set/."""
    folder = class_folders(tmp_path / "az", {"left": 2, "right": 2})
    with azure_server() as running:
        clips = {f"set/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in folder.rglob("*.mp4")}
        running.containers = {"films": clips | {"set/notes.pdf": b"not fetched", "other/x.mp4": b"not requested"}}
        yield running


def azure_key(actor: Actor, server: AzureServer, key: str = KEY) -> int:
    with session_scope() as session:
        values = {"account": ACCOUNT, "account_key": key, "endpoint": server.endpoint}
        return save_credential(session, actor, "az", f"films {key[:4]}", values).id


def test_az_with_the_accounts_key(ada: Actor, private_urls_allowed: None, azure: AzureServer) -> None:
    dataset_id = dataset_to_fetch(
        ada, {"type": "cloud", "uri": "az://films/set", "credential_id": azure_key(ada, azure)}
    )
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    found = dataset_of(dataset_id)
    assert (found.clip_count, found.bad_count, found.class_names) == (4, 0, ["left", "right"])
    assert not any("notes.pdf" in path or "other" in path for path in azure.asked)


def test_az_one_object(ada: Actor, private_urls_allowed: None, azure: AzureServer, tmp_path: Path) -> None:
    azure.containers["films"]["all/set.zip"] = zip_of_clips(tmp_path)
    dataset_id = dataset_to_fetch(
        ada, {"type": "cloud", "uri": "az://films/all/set.zip", "credential_id": azure_key(ada, azure)}
    )
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    assert dataset_of(dataset_id).clip_count == 4


@pytest.mark.parametrize("code", ["AuthenticationFailed", "AuthorizationPermissionMismatch", "AuthorizationFailure"])
def test_az_whatever_azure_calls_its_refusal(
    ada: Actor, private_urls_allowed: None, azure: AzureServer, code: str
) -> None:
    azure.refusal = code
    key = azure_key(ada, azure, "d3Jvbmc=")
    dataset_id = dataset_to_fetch(ada, {"type": "cloud", "uri": "az://films/set", "credential_id": key})
    assert run(dataset_id) == "error"
    assert "refuses these credentials" in dataset_of(dataset_id).error


@pytest.mark.parametrize(
    ("uri", "wrong_key", "sentence"),
    [
        ("az://films/set", True, "refuses these credentials"),
        ("az://nowhere/set", False, "no such bucket"),
        ("az://films/empty", False, "no videos or archives"),
    ],
)
def test_az_refusals(
    ada: Actor, private_urls_allowed: None, azure: AzureServer, uri: str, wrong_key: bool, sentence: str
) -> None:
    key = azure_key(ada, azure, "d3Jvbmc=" if wrong_key else KEY)
    dataset_id = dataset_to_fetch(ada, {"type": "cloud", "uri": uri, "credential_id": key})
    assert run(dataset_id) == "error"
    assert sentence in dataset_of(dataset_id).error
    assert no_uploads_left()


def test_az_on_a_private_address_is_never_contacted(
    ada: Actor, azure: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a public name resolved to this machine by now: the guard checks the address of the connection."""
    values = {"account": ACCOUNT, "account_key": KEY, "endpoint": azure.endpoint}
    monkeypatch.setattr("jobs.fetch.dataset_source.credential_secret", lambda *_: values)
    dataset_id = dataset_to_fetch(ada, {"type": "cloud", "uri": "az://films/set", "credential_id": 1})
    assert run(dataset_id) == "error"
    assert "private network" in dataset_of(dataset_id).error
    assert azure.asked == []
