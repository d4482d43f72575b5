"""Several datasets of the list, deleted at once: only one's own, never what a job still learns from, each named."""

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
from orchestrator.states.datasets.bulk_delete import DatasetsMany
from orchestrator.states.datasets.index import DatasetsState
from tests.api_client import sign_in
from tests.studio import make_person, make_things
from tests.tabs import state_in, tab


def press(state: Any, name: str, *given: object) -> Any:
    return asyncio.run(state.event_handlers[name].fn(state, *given))


def names() -> set[str]:
    with session_scope() as session:
        return set(session.exec(select(Dataset.name)).all())


def made(actor: Actor, *wanted: str) -> list[int]:
    with session_scope() as session:
        rows = [Dataset(owner_id=actor.user_id, name=name, status=DatasetStatus.READY) for name in wanted]
        session.add_all(rows)
        session.flush()
        return [row.id or 0 for row in rows]


def test_what_is_chosen_goes_and_the_rest_stays(redis_server: object) -> None:
    forget_clients()
    client = sign_in("ada")
    me = client.get("/api/v1/me").json()
    ada = Actor(int(me["id"]), "ada", me["email"], me["role"])
    busy, model_id = make_things(ada)
    one, two, kept, gone = made(ada, "one", "two", "kept", "gone")
    [foreign] = made(make_person("eve"), "foreign")
    with session_scope() as session:
        names_of: dict[str, Any] = {"dataset_name": "Motions", "model_name": "m", "name": "walks"}
        owned: dict[str, Any] = {"owner_id": ada.user_id, "dataset_id": busy, "model_id": model_id}
        session.add(TrainingJob(**owned, **names_of, status=JobStatus.RUNNING, idempotency_key="k"))
    root = tab(client.cookies[COOKIE_NAME], "/datasets")
    page, many = state_in(root, DatasetsState), state_in(root, DatasetsMany)
    press(page, "load")
    press(many, "choose_shown", True)
    assert {busy, one, two, kept, gone} < set(many.chosen) == {row.id for row in page.rows}
    demos = set(many.chosen) - {busy, one, two, kept, gone}
    for unwanted in (*demos, kept):
        press(many, "choose", unwanted, False)
    press(many, "choose", foreign, True)
    with session_scope() as session:
        delete_dataset(session, ada, gone)

    press(many, "ask")
    assert [name for name, _ in many.goes] == ["two", "one"]
    assert "no clips yet" in many.goes[0][1]
    assert many.stays == ["Motions: walks #1 still learns from it. Stop that first."]
    assert foreign not in many.chosen
    assert (many.phrase, many.confirmed) == ("delete 2 datasets", False)
    press(many, "delete")
    assert many.problem == "Type “delete 2 datasets” to go on."
    assert {"one", "two"} < names()
    press(many, "type_phrase", " delete  2 datasets")
    press(many, "delete")
    assert {"Motions", "kept", "foreign"} < names()
    assert not {"one", "two"} & names()
    assert (many.asking, many.chosen) == (False, [busy])


def test_only_busy_ones_leave_nothing_to_type(redis_server: object) -> None:
    forget_clients()
    client = sign_in("ada")
    me = client.get("/api/v1/me").json()
    busy, model_id = make_things(ada := Actor(int(me["id"]), "ada", me["email"], me["role"]))
    with session_scope() as session:
        names_of: dict[str, Any] = {"dataset_name": "Motions", "model_name": "m", "name": "walks"}
        owned: dict[str, Any] = {"owner_id": ada.user_id, "dataset_id": busy, "model_id": model_id}
        session.add(TrainingJob(**owned, **names_of, status=JobStatus.QUEUED, idempotency_key="k"))
    many = state_in(tab(client.cookies[COOKIE_NAME], "/datasets"), DatasetsMany)
    press(many, "choose", busy, True)
    press(many, "ask")
    assert (many.asking, many.goes, many.phrase, many.confirmed) == (True, [], "", False)
    press(many, "delete")
    assert "Motions" in names()
