"""Several datasets deleted at once: only the user's own, none that a job still uses, each of them named."""

import asyncio
from typing import Any

from sqlmodel import select

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.datasets.catalog import delete_dataset
from orchestrator.services.db import session_scope
from orchestrator.states.datasets.bulk_delete import DatasetBulkDeleteState
from orchestrator.states.datasets.index import DatasetsState
from tests.api_client import sign_in
from tests.studio import make_person, make_things
from tests.tabs import state_in, tab


def press(state: Any, name: str, *given: object) -> Any:
    return asyncio.run(state.event_handlers[name].fn(state, *given))


def names() -> set[str]:
    with session_scope() as session:
        return set(session.exec(select(Dataset.name)).all())


def make_datasets(actor: Actor, *titles: str) -> list[int]:
    with session_scope() as session:
        rows = [Dataset(owner_id=actor.user_id, name=name, status=DatasetStatus.READY) for name in titles]
        session.add_all(rows)
        session.flush()
        return [row.id or 0 for row in rows]


def test_chosen_datasets_are_deleted_and_the_others_stay(redis_server: object) -> None:
    forget_clients()
    client = sign_in("ada")
    me = client.get("/api/v1/me").json()
    ada = Actor(int(me["id"]), "ada", me["email"], me["role"])
    busy, model_id = make_things(ada)
    one, two, unchosen, deleted = make_datasets(ada, "one", "two", "unchosen", "deleted")
    [foreign] = make_datasets(make_person("eve"), "foreign")
    with session_scope() as session:
        names_of: dict[str, Any] = {"dataset_name": "Motions", "model_name": "m", "name": "walks"}
        owned: dict[str, Any] = {"owner_id": ada.user_id, "dataset_id": busy, "model_id": model_id}
        session.add(TrainingJob(**owned, **names_of, status=JobStatus.RUNNING, idempotency_key="k"))
    root = tab(client.cookies[COOKIE_NAME], "/datasets")
    page, many = state_in(root, DatasetsState), state_in(root, DatasetBulkDeleteState)
    press(page, "load")
    press(many, "choose_shown", True)
    assert {busy, one, two, unchosen, deleted} < set(many.chosen) == {row.id for row in page.rows}
    demos = set(many.chosen) - {busy, one, two, unchosen, deleted}
    for dataset_id in (*demos, unchosen):
        press(many, "choose", dataset_id, False)
    press(many, "choose", foreign, True)
    with session_scope() as session:
        delete_dataset(session, ada, deleted)

    press(many, "open")
    assert [name for name, _ in many.deletable] == ["two", "one"]
    assert "no clips yet" in many.deletable[0][1]
    assert many.blocked == ["Motions: walks #1 still trains on it. Stop that first."]
    assert foreign not in many.chosen
    assert (many.phrase, many.confirmed) == ("delete 2 datasets", False)
    press(many, "delete")
    assert many.problem == "Type “delete 2 datasets” to go on."
    assert {"one", "two"} < names()
    press(many, "type_phrase", " delete  2 datasets")
    press(many, "delete")
    assert {"Motions", "unchosen", "foreign"} < names()
    assert not {"one", "two"} & names()
    assert (many.opened, many.chosen) == (False, [busy])


def test_datasets_in_use_alone_leave_nothing_to_confirm(redis_server: object) -> None:
    forget_clients()
    client = sign_in("ada")
    me = client.get("/api/v1/me").json()
    busy, model_id = make_things(ada := Actor(int(me["id"]), "ada", me["email"], me["role"]))
    with session_scope() as session:
        names_of: dict[str, Any] = {"dataset_name": "Motions", "model_name": "m", "name": "walks"}
        owned: dict[str, Any] = {"owner_id": ada.user_id, "dataset_id": busy, "model_id": model_id}
        session.add(TrainingJob(**owned, **names_of, status=JobStatus.QUEUED, idempotency_key="k"))
    many = state_in(tab(client.cookies[COOKIE_NAME], "/datasets"), DatasetBulkDeleteState)
    press(many, "choose", busy, True)
    press(many, "open")
    assert (many.opened, many.deletable, many.phrase, many.confirmed) == (True, [], "", False)
    press(many, "delete")
    assert "Motions" in names()
