"""An adapter goes to the Hub as its own library sends it: whole, private, again as the next commit, or not at all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import SafetensorError
from sqlmodel import Session

from jobs.adapters import merge
from jobs.adapters.operations import run_adapter_work
from jobs.fetch.push import hub_card
from orchestrator.domain.adapters import AdapterOperation
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.adapters import catalog, operations
from orchestrator.services.credentials import delete_credential, list_credentials, save_credential, save_token
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.hub_server import HubServer, hub_server
from tests.studio import make_person
from tests.unit.services.adapters.test_versions import finished_job, only


@pytest.fixture
def hub(redis_server: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_server("ada/taken", {"README.md": b"mine"}, token="hf_reads") as server:
        server.writer = "hf_writes"
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        get_settings.cache_clear()
        yield server


def newest(session: Session, actor: Actor, adapter_id: int) -> operations.OperationRow:
    return operations.list_operations(session, actor, adapter_id)[0]


def push(actor: Actor, repo: str, token: str = "hf_writes", private: bool = True) -> operations.OperationRow:
    """Requests a push and carries it out, as a worker would."""
    with session_scope() as session:
        [row] = catalog.list_adapters(session, actor).items
        work = operations.request_push(session, actor, row.id, repo, token, private)
    run_adapter_work(work.id)
    with session_scope() as session:
        return newest(session, actor, row.id)


def test_it_arrives_complete_and_private(ada: Actor, home: Path, hub: HubServer) -> None:
    job_id = finished_job(ada, home)
    folder = home / "jobs" / str(job_id) / "adapter"
    card = "---\nbase_model: Tiny\nlibrary_name: peft\ndatasets:\n- My clips\n---\n"
    (folder / "README.md").write_text(f"{card}# motions\n")
    (folder / "base").mkdir()
    (folder / "base" / "config.json").write_text("{}")
    done = push(ada, "ada/motions")
    assert not [path for verb, path, _ in hub.asked if verb == "UNKNOWN"]
    assert (done.status, done.error, done.url) == ("done", "", f"{hub.url}/ada/motions")
    assert hub.files == {
        # Names of this studio are no ids of the Hub, which refuses a card that gives them as such.
        "README.md": b"---\nlibrary_name: peft\n---\n# motions\n",
        "adapter_model.safetensors": b"w" * 100,
        "base/config.json": b"{}",
    }
    assert (hub.private, hub.commits) == (True, ["motions v1"])
    (folder / "README.md").write_text("# motions, better\n")
    assert push(ada, "ada/motions").status == "done"
    assert (len(hub.commits), hub.files["README.md"]) == (2, b"# motions, better\n")
    assert hub_card("---\nbase_model: Tiny\n---\nx", "ada/base") == "---\nbase_model: ada/base\n---\nx"
    with session_scope() as session:
        assert "stays there" in catalog.dependents(session, ada, only(ada).id)[0]
        kept = json.dumps([session.get_one(AdapterOperation, 1).request, session.get_one(AdapterOperation, 1).result])
    assert "sealed" not in kept
    assert "hf_writes" not in kept


def test_a_stored_token_is_used_and_stays_stored(ada: Actor, home: Path, hub: HubServer) -> None:
    finished_job(ada, home)
    eve = make_person("eve")
    with session_scope() as session:
        mine = save_token(session, ada, "writes", "hf_writes").id
        bucket = save_credential(session, ada, "s3", "films", {"access_key": "a", "secret_key": "b"}).id
        theirs = save_token(session, eve, "hers", "hf_writes").id
    for other, error, said in ((bucket, Invalid, "is no Hub token"), (theirs, NotFound, "do not exist")):
        with session_scope() as session, pytest.raises(error, match=said):
            operations.request_push(session, ada, only(ada).id, "ada/motions", "", credential_id=other)
    with session_scope() as session:
        work = operations.request_push(session, ada, only(ada).id, "ada/motions", "", credential_id=mine)
        assert "hf_writes" not in json.dumps(session.get_one(AdapterOperation, work.id).request)
    assert run_adapter_work(work.id) == "done"
    assert hub.commits == ["motions v1"]
    with session_scope() as session:
        (kept,) = [row for row in list_credentials(session, ada) if row.id == mine]
        assert kept.used_at is not None
        again = operations.request_push(session, ada, only(ada).id, "ada/motions", "", credential_id=mine)
        delete_credential(session, ada, mine)
    assert run_adapter_work(again.id) == "failed"
    with session_scope() as session:
        assert "do not exist any more" in newest(session, ada, only(ada).id).error


@pytest.mark.parametrize(
    ("repo", "token", "sentence"),
    [
        ("ada/motions", "hf_wrong", "does not accept this token"),
        ("ada/motions", "hf_reads", "may not write to ada/motions"),
        ("ada/taken", "hf_writes", "is there already and is public"),
    ],
)
def test_a_refusal_of_the_hub_is_reported(
    ada: Actor, home: Path, hub: HubServer, repo: str, token: str, sentence: str
) -> None:
    finished_job(ada, home)
    ended = push(ada, repo, token)
    assert ended.status == "failed"
    assert sentence in ended.error
    assert (hub.commits, hub.files) == ([], {"README.md": b"mine"})


def test_what_cannot_be_pushed_is_refused_at_once(ada: Actor, home: Path, redis_server: object) -> None:
    finished_job(ada, home)
    bob, row = make_person("bob"), only(ada)
    with session_scope() as session:
        with pytest.raises(NotFound):
            operations.request_push(session, bob, row.id, "bob/x", "hf_x")
        with pytest.raises(Invalid) as refused:
            operations.request_push(session, ada, row.id, "../etc", "")
        assert [field for field, _ in refused.value.problems] == ["repo", "token"]
        with pytest.raises(Conflict, match="Merge it first"):
            operations.request_push(session, ada, row.id, "ada/x", "hf_x", what="merged")
        operations.request_push(session, ada, row.id, "ada/x", "hf_x")
        with pytest.raises(Conflict, match="being pushed already"):
            operations.request_push(session, ada, row.id, "ada/x", "hf_x")


def test_a_private_network_is_not_asked(
    ada: Actor, home: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub's name means an address of this machine: the child connects to nothing."""
    from jobs.adapters import operations
    from jobs.fetch.child import fetch_messages

    finished_job(ada, home)
    monkeypatch.setattr(
        operations,
        "fetch_messages",
        lambda request, should_continue: fetch_messages(replace(request, allow_private=False), should_continue),
    )
    ended = push(ada, "ada/motions")
    assert (ended.status, hub.commits) == ("failed", [])
    assert "private network" in ended.error


def test_a_merge_that_breaks_off_keeps_nothing_and_may_be_asked_again(
    ada: Actor, home: Path, redis_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = finished_job(ada, home)
    base = home / "jobs" / str(job_id) / "adapter" / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    row = only(ada)
    part = home / "adapters" / str(row.id) / ".merged.part"

    def full(*_: object) -> None:
        part.mkdir(parents=True)
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(merge, "merge", full)
    for _ in range(2):
        with session_scope() as session:
            work = operations.request_merge(session, ada, row.id)
        run_adapter_work(work.id)
        with session_scope() as session:
            ended = newest(session, ada, row.id)
            assert (ended.status, "The disk is full" in ended.error) == ("failed", True), ended.error
        assert not part.exists()
    with session_scope() as session, pytest.raises(Conflict, match="Nothing is merged yet"):
        operations.merged_zip(session, ada, row.id)
