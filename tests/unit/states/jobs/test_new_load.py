"""Checks how the wizard opens: with its draft, with what the address names, and without deleted choices."""

from typing import Any

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.drafts import Edit, save_draft
from orchestrator.states.jobs.new_load import Opening, adapter_choices, estimate, open_wizard
from tests.studio import launch, make_person, make_things
from tests.unit.services.training.test_continuing import make_adapter

KIND = ("classification", "videomae")
"""Task and family of the shipped classifier."""


def opened(actor: Actor, **query: object) -> Opening:
    with session_scope() as session:
        return open_wizard(session, actor, {key: str(value) for key, value in query.items()})


def test_a_first_visit_has_defaults_and_nothing_chosen(ada: Actor) -> None:
    make_things(ada)
    found = opened(ada)
    assert (found.dataset_id, found.model_id, found.step, found.reached) == (0, 0, 1, 1)
    assert found.values["qlora.r"] == "16"
    assert len(found.datasets) == len(found.models) == 1


def test_the_address_chooses_and_jumps_to_the_review(ada: Actor) -> None:
    dataset, model = make_things(ada)
    found = opened(ada, dataset=dataset, model=model)
    assert (found.dataset_id, found.model_id, found.jump) == (dataset, model, True)


def stored(actor: Actor, **values: Any) -> int:
    with session_scope() as session:
        return save_draft(session, actor, values, Edit("key", "tab", 1)).id


def test_a_draft_opens_by_its_address_and_a_new_opening_begins_another(ada: Actor) -> None:
    dataset, model = make_things(ada)
    values = {"qlora.r": "24", "output_name": "night-run"}
    draft = stored(ada, dataset_id=dataset, model_id=model, values=values, step=3, reached=3)
    again = opened(ada, draft=draft, dataset=99)
    assert (again.dataset_id, again.values["qlora.r"], again.step, again.jump) == (dataset, "24", 3, False)
    assert (again.draft.id, again.draft.launch_key) == (draft, "key")
    fresh = opened(ada, dataset=dataset, model=model)
    assert (fresh.values["qlora.r"], fresh.draft.id, fresh.jump) == ("16", 0, True)
    assert fresh.draft.launch_key not in ("", "key", opened(ada).draft.launch_key)


def test_a_deleted_or_foreign_draft_opens_an_empty_wizard_with_a_notice(ada: Actor) -> None:
    hers = stored(make_person("eve"), values={"qlora.r": "24"})
    for draft in (hers, 99):
        found = opened(ada, draft=draft)
        assert (found.values["qlora.r"], found.draft.id) == ("16", 0)
        assert found.notice.startswith("This draft was launched or discarded")


def test_a_deleted_choice_is_dropped_with_a_notice(ada: Actor) -> None:
    dataset, model = make_things(ada)
    draft = stored(ada, dataset_id=dataset, model_id=model, step=4, reached=4)
    with session_scope() as session:
        session.delete(session.get_one(Dataset, dataset))
    found = opened(ada, draft=draft)
    assert (found.dataset_id, found.step, found.reached) == (0, 1, 1)
    assert "was deleted or is not ready" in found.notice


def test_a_clone_brings_the_recipe(ada: Actor) -> None:
    dataset, model = make_things(ada)
    job = launch(ada, (dataset, model))
    found = opened(ada, clone=job)
    assert (found.dataset_id, found.model_id, found.step) == (dataset, model, 3)
    assert found.values["output_name"].endswith("-2")


def test_an_adapter_brings_its_recipe_its_name_and_the_choice_of_others(ada: Actor) -> None:
    things = make_things(ada)
    adapter = make_adapter(ada, things, dataset_id=things[0])
    found = opened(ada, adapter=adapter)
    assert (found.dataset_id, found.model_id, found.step) == (*things, 3)
    assert (found.values["adapter"], found.values["output_name"], found.values["qlora.r"]) == (
        str(adapter),
        "cats-900",
        "8",
    )
    with session_scope() as session:
        offered = adapter_choices(session, ada, things[1])
        assert [choice["label"] for choice in offered] == ["None", "cats-900 v1"]
        assert adapter_choices(session, make_person("eve"), things[1]) == []
    assert opened(ada, adapter=99).notice.startswith("There is no such adapter")


def test_a_job_of_another_user_cannot_be_cloned(ada: Actor) -> None:
    make_things(ada)
    assert opened(ada, clone=99).notice == "There is no such training job."


def test_the_plan_needs_a_valid_form_but_the_presets_do_not(ada: Actor) -> None:
    dataset, model = make_things(ada)
    values = opened(ada, dataset=dataset, model=model).values | {"output_name": "a-run"}
    with session_scope() as session:
        parameters = session.get_one(VideoModel, model).parameters
        plan, cards, recipe = estimate(
            session, ada, dataset, model, values, [], parameters, "classification", "videomae", False
        )
        assert plan.known
        assert recipe is not None
        bad = values | {"qlora.r": "-1"}
        plan, cards, recipe = estimate(
            session, ada, dataset, model, bad, [], parameters, "classification", "videomae", False
        )
    assert not plan.known
    assert recipe is None
    assert [card.value for card in cards] == ["quick", "balanced", "best"]
