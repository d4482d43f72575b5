"""Datasets of a Hub: looked up, pinned to a commit, fetched with a stored token, refused in words."""

from pathlib import Path

import pytest
from sqlmodel import select

from jobs.fetch.dataset_source import fetch_source
from orchestrator.domain.credentials import Credential
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.credentials import save_credential, save_token
from orchestrator.services.datasets.ingest.pipeline import fail_import
from orchestrator.services.datasets.ingest.sources import add_dataset, request_fetch
from orchestrator.services.db import session_scope
from orchestrator.services.hub import hub_size
from orchestrator.settings import get_settings
from tests.fakes.hub_server import SHA, hub_server
from tests.fakes.videos import draw_clip
from tests.ingest import import_now
from tests.studio import RedisProcess, make_person

TOKEN = "hf_abcdefghijklmnop"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    clips = {f"data/{n}.mp4": draw_clip(tmp_path / f"{n}.mp4", shade=30 * n).read_bytes() for n in range(2)}
    table = b"file_name,caption\n0.mp4,A square at dusk.\n1.mp4,A square at noon.\n"
    return clips | {"data/metadata.csv": table, "load.py": b"import os", "README.md": b"# About"}


def add(actor: Actor, **source: object) -> int:
    with session_scope() as session:
        return add_dataset(session, actor, "squares", "", Task.CAPTIONING.value, {"type": "hub", **source}).id


def fetch(dataset_id: int) -> str:
    problem = fetch_source(dataset_id, lambda: True)
    return fail_import(dataset_id, problem) if problem else import_now(dataset_id)


def dataset_of(dataset_id: int) -> Dataset:
    with session_scope() as session:
        return session.get_one(Dataset, dataset_id)


def test_a_gated_dataset_with_a_stored_token(
    redis_server: RedisProcess, ada: Actor, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_server("ada/squares", files, TOKEN, kind="dataset") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        get_settings.cache_clear()
        refused = add(ada, repo="ada/squares")
        assert fetch(refused) == "error"
        assert "gated" in dataset_of(refused).error
        with session_scope() as session:
            session.delete(session.get_one(Dataset, refused))
        dataset_id = add(ada, repo="ada/squares", revision=SHA, token=TOKEN)
        assert TOKEN not in str(dataset_of(dataset_id).source)
        assert fetch(dataset_id) == "ready", dataset_of(dataset_id).error
        # The same token again, by its id.
        with session_scope() as session:
            stored = session.exec(select(Credential)).one()
            size = hub_size(session, ada, "dataset", "ada/squares", credential_id=stored.id or 0)
        assert (size.revision, size.files) == (SHA, 3)
        assert size.bytes == sum(len(data) for name, data in files.items() if name.startswith("data/"))
    assert not any("load.py" in path for _, path, _ in hub.asked)
    assert dataset_of(dataset_id).source["fetched_revision"] == SHA
    with session_scope() as session:
        captions = session.exec(select(Clip.caption).where(Clip.dataset_id == dataset_id)).all()
    assert sorted(captions) == ["A square at dusk.", "A square at noon."]
    assert not list((get_settings().data_dir / "uploads").iterdir())


def test_a_gated_dataset_that_failed_takes_a_stored_token(
    redis_server: RedisProcess, ada: Actor, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_server("ada/squares", files, TOKEN, kind="dataset") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        get_settings.cache_clear()
        dataset_id, bob = add(ada, repo="ada/squares"), make_person("bob")
        assert fetch(dataset_id) == "error"
        with session_scope() as session:
            mine, his = (save_token(session, person, "kept", TOKEN).id for person in (ada, bob))
            keys = {"access_key": "AKIAEXAMPLE12", "secret_key": "hush"}
            bucket = save_credential(session, ada, "s3", "a bucket", keys).id
        for person, stored, refusal in ((bob, his, NotFound), (ada, his, NotFound), (ada, bucket, Invalid)):
            with session_scope() as session, pytest.raises(refusal):
                request_fetch(session, person, dataset_id, credential_id=stored)
        with session_scope() as session:
            request_fetch(session, ada, dataset_id, credential_id=mine)
        assert fetch(dataset_id) == "ready", dataset_of(dataset_id).error


def test_unusable_repositories_are_reported(
    redis_server: RedisProcess, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_server("ada/table", {"train.csv": b"a,b"}, kind="dataset") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        get_settings.cache_clear()
        with session_scope() as session, pytest.raises(Invalid, match="holds no videos"):
            hub_size(session, ada, "dataset", "ada/table")
        with session_scope() as session, pytest.raises(Invalid, match="There is no dataset ada/none"):
            hub_size(session, ada, "dataset", "ada/none")


@pytest.mark.parametrize("repo", ["squares", "../etc/passwd", "a/b/c", "https://x.org/a/b", "a/..", ""])
def test_an_id_that_is_none(ada: Actor, repo: str) -> None:
    with pytest.raises(Invalid, match="owner/name"):
        add(ada, repo=repo)


def test_nobody_uses_anothers_token(redis_server: RedisProcess, ada: Actor) -> None:
    add(ada, repo="ada/squares", token=TOKEN)
    with session_scope() as session:
        stored = session.exec(select(Credential.id)).one()
        with pytest.raises(NotFound):
            hub_size(session, make_person("bob"), "dataset", "ada/squares", credential_id=stored or 0)
