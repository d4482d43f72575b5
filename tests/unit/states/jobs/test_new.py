"""The wizard in several tabs: each launches what it shows, and none loses what was typed."""

import asyncio
from typing import Any

import pytest
from reflex.state import BaseState

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.services.training.drafts import list_drafts
from orchestrator.services.training.jobs import list_jobs
from orchestrator.services.training.sweeps import list_sweeps
from orchestrator.states.jobs.new import JobFormState
from tests.api_client import sign_in
from tests.studio import launch as studio_launch
from tests.studio import make_things
from tests.tabs import go, state_in, tab


class Person:
    """A signed-in user with a dataset and a base model."""

    def __init__(self) -> None:
        forget_clients()
        client = sign_in("ada")
        self.cookie = client.cookies[COOKIE_NAME]
        self.actor = Actor(int(client.get("/api/v1/me").json()["id"]), "ada", "", Role.MEMBER)
        self.dataset, self.model = make_things(self.actor)

    def open(self, query: str = "") -> Any:
        """A tab with the wizard at this address."""
        state = state_in(tab(self.cookie, f"/jobs/new?{query}"), JobFormState)
        run(state.load())
        return state

    def filled(self) -> Any:
        return self.open(f"dataset={self.dataset}&model={self.model}")

    def drafts(self) -> list[str]:
        with session_scope() as session:
            return [row.name for row in list_drafts(session, self.actor)]

    def jobs(self) -> dict[str, int]:
        with session_scope() as session:
            return {row.name: row.recipe["qlora"]["r"] for row in list_jobs(session, self.actor).items}


@pytest.fixture
def person(home: object, monkeypatch: pytest.MonkeyPatch) -> Person:
    async def enter(self: Any) -> Any:
        return self

    async def leave(*_: object) -> None: ...

    monkeypatch.setattr(BaseState, "__aenter__", enter)
    monkeypatch.setattr(BaseState, "__aexit__", leave)
    monkeypatch.setattr("orchestrator.states.jobs.new.DEBOUNCE_S", 0.0)
    return Person()


def run(made: Any) -> list[str]:
    """The events of a handler, as text."""

    async def all_of() -> list[Any]:
        return [event async for event in made] if hasattr(made, "__aiter__") else [await made]

    return [str(event) for event in asyncio.run(all_of()) if event is not None]


def refresh(state: Any) -> Any:
    """The background handler that follows each change."""
    return state.event_handlers["refresh"].fn(state)


def type_in(state: Any, **values: str) -> list[str]:
    """Types into fields; `qlora_r` is `qlora.r`."""
    for name, text in values.items():
        run(state.set_value(name.replace("qlora_", "qlora."), text))
    return run(refresh(state))


def launch(state: Any) -> str:
    run(state.launch())
    return state._address


def test_an_unchanged_wizard_stores_nothing(person: Person) -> None:
    state = person.filled()
    assert run(refresh(state)) == []
    assert (state.draft_id, state.saved_at) == (0, "")


def test_the_first_change_names_the_draft_in_the_address(person: Person) -> None:
    state = person.filled()
    [event] = type_in(state, qlora_r="24")
    assert f"/jobs/new?draft={state.draft_id}" in event
    assert type_in(state, qlora_r="48") == []
    again = person.open(f"draft={state.draft_id}")
    assert (again.values["qlora.r"], again.draft_id, again.dataset_id) == ("48", state.draft_id, person.dataset)


def test_two_tabs_launch_their_own_job_each(person: Person) -> None:
    a, b = person.filled(), person.filled()
    type_in(a, output_name="tab-a", qlora_r="16")
    type_in(b, output_name="tab-b", qlora_r="8")
    assert launch(a) != launch(b)
    assert person.jobs() == {"tab-a": 16, "tab-b": 8}


def test_two_tabs_launch_a_job_and_a_sweep(person: Person) -> None:
    a, b = person.filled(), person.filled()
    type_in(a, output_name="tab-a")
    type_in(b, output_name="tab-b", **{"sweep.field1": "qlora.r", "sweep.values1": "4 8"})
    launch(a)
    assert launch(b).startswith("/jobs/compare?sweep=")
    assert person.jobs() == {"tab-a": 16, "tab-b-1": 4, "tab-b-2": 8}
    with session_scope() as session:
        assert len(list_sweeps(session, person.actor)) == 1


def test_two_tabs_on_one_draft_become_two_drafts(person: Person) -> None:
    a = person.filled()
    type_in(a, output_name="tab-a", qlora_r="16")
    b = person.open(f"draft={a.draft_id}")
    type_in(b, output_name="tab-b", qlora_r="8")
    events = type_in(a, qlora_r="32")
    assert "a draft of its own now" in a.notice
    assert a.draft_id == 0
    assert any("refresh" in event for event in events)
    run(refresh(a))
    assert a.draft_id not in (0, b.draft_id)
    kept = [person.open(f"draft={state.draft_id}").values for state in (a, b)]
    assert [(values["output_name"], values["qlora.r"]) for values in kept] == [("tab-a", "32"), ("tab-b", "8")]
    launch(a)
    launch(b)
    assert person.jobs() == {"tab-a": 32, "tab-b": 8}


def test_a_launch_of_the_same_draft_in_two_tabs_is_one_job_until_one_was_changed(person: Person) -> None:
    a = person.filled()
    type_in(a, output_name="same")
    b, c = (person.open(f"draft={a.draft_id}") for _ in range(2))
    assert launch(a) == launch(b)
    run(c.set_value("qlora.r", "8"))
    assert launch(c) == ""
    assert "Another tab launched this draft with other values" in c.notice
    assert launch(c) != launch(a)
    with session_scope() as session:
        assert [row.recipe["qlora"]["r"] for row in list_jobs(session, person.actor).items] == [8, 16]


def test_back_after_a_launch_gives_an_empty_wizard_that_says_why(person: Person) -> None:
    state = person.filled()
    type_in(state, qlora_r="24")
    draft = state.draft_id
    launch(state)
    go(state._get_root_state(), person.cookie, f"/jobs/new?draft={draft}")
    events = run(state.load())
    assert (state.draft_id, state.dataset_id) == (0, 0)
    assert state.notice.startswith("This draft was launched or discarded")
    assert any("'/jobs/new'" in event or '"/jobs/new"' in event for event in events)
    assert not person.drafts()


def test_cancel_discards_the_own_draft_only(person: Person) -> None:
    a, b = person.filled(), person.filled()
    type_in(a, output_name="tab-a")
    type_in(b, output_name="tab-b")
    run(a.cancel())
    assert person.drafts() == ["tab-b"]


def test_a_clone_learns_from_the_newest_version_until_the_own_one_is_chosen(person: Person) -> None:
    job = studio_launch(person.actor, (person.dataset, person.model))
    with session_scope() as session:
        session.get_one(Dataset, person.dataset).version = 3
    state = person.open(f"clone={job}")
    assert "learned from version 1 of Motions" in state.notice
    assert (state.dataset_version, state.other_version) == (0, 1)
    assert [choice["label"] for choice in state.versions] == [
        "Version 3, the newest",
        "Version 2",
        "Version 1, which adapter learned from",
    ]
    run(refresh(state))
    assert state.review[0].lines[0].value == "Motions, version 3, the newest"
    run(state.choose_version("1"))
    run(refresh(state))
    assert (state.other_version, state.review[0].lines[0].value) == (0, "Motions, version 1")
    again = person.open(f"draft={state.draft_id}")
    assert (again.dataset_version, again.cloned.version) == (1, 1)
    launch(again)
    with session_scope() as session:
        assert list_jobs(session, person.actor).items[0].dataset_version == 1


def test_a_clone_of_a_job_whose_dataset_was_deleted_says_so(person: Person) -> None:
    job = studio_launch(person.actor, (person.dataset, person.model))
    with session_scope() as session:
        session.delete(session.get_one(Dataset, person.dataset))
    state = person.open(f"clone={job}")
    assert state.notice == "The dataset Motions of this job was deleted. Choose another one."
    assert (state.step, state.dataset_id, state.model_id) == (1, 0, person.model)


def test_a_recipe_file_fills_the_form_and_is_launched(person: Person) -> None:
    state = person.filled()
    run(state.put_in_recipe("output_name: taken\nqlora: {r: 12, lora_alpha: 3}\noptim: {epochs: 0}\n", "recipe.yaml"))
    assert state.recipe_summary.startswith("recipe.yaml: 2\u00a0parameters filled in.")
    assert [note.place for note in state.recipe_notes] == ["line 2", "line 3"]
    assert (list(state.problems), state.step) == (["optim.epochs"], 3)
    assert launch(state) == ""
    run(state.paste_recipe({"recipe": "optim: {epochs: 2}"}))
    assert (state.problems, state.recipe_notes, state.values["output_name"]) == ({}, [], "taken")
    run(state.put_in_recipe("- nothing", "x.yaml"))
    assert state.recipe_error.startswith("A recipe is a list of names with values")
    assert state.values["qlora.r"] == "12"
    launch(state)
    assert person.jobs() == {"taken": 12}


def test_a_clone_without_adapters_stays_without_until_they_are_asked_for(person: Person) -> None:
    job = studio_launch(person.actor, (person.dataset, person.model), qlora={"enabled": False})
    state = person.open(f"clone={job}")
    assert state.without_adapters
    run(refresh(state))
    assert ("QLoRA", "Adapters") in [(line.group, line.label) for block in state.review for line in block.lines]
    run(state.use_adapters())
    assert not state.without_adapters
    launch(state)
    with session_scope() as session:
        assert list_jobs(session, person.actor).items[0].recipe["qlora"]["enabled"]


def test_each_step_is_an_entry_of_the_history_that_opens_it_again(person: Person) -> None:
    state = person.filled()
    run(state.go(1))
    type_in(state, output_name="kept")
    state.step = 1
    pushed = str(asyncio.run(state.next())[-1])
    assert "pushState" in pushed
    assert f"draft={state.draft_id}&step=2" in pushed
    back = person.open(f"draft={state.draft_id}&step=1")
    assert (back.step, back.values["output_name"]) == (1, "kept")


def test_a_notice_about_a_choice_goes_with_the_next_choice(person: Person) -> None:
    state = person.open(f"dataset={person.dataset}&model=999999")
    assert "base model" in state.notice
    run(state.choose_model(person.model))
    assert state.notice == ""
