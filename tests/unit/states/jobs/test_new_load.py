"""Checks how the wizard opens: with its draft, with what the address names, and without deleted choices."""

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.drafts import save_draft
from orchestrator.states.jobs.new_load import Opening, estimate, open_wizard
from tests.studio import launch, make_things


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


def test_a_draft_comes_back_and_the_same_address_leaves_it_alone(ada: Actor) -> None:
    dataset, model = make_things(ada)
    query = opened(ada, dataset=dataset, model=model).query
    draft = {"dataset_id": dataset, "model_id": model, "values": {"qlora.r": "24"}, "step": 3, "reached": 3}
    with session_scope() as session:
        save_draft(session, ada, draft | {"query": query})
    again = opened(ada, dataset=dataset, model=model)
    assert (again.values["qlora.r"], again.step, again.jump) == ("24", 3, False)
    assert opened(ada).values["qlora.r"] == "24"


def test_a_deleted_choice_is_dropped_with_a_notice(ada: Actor) -> None:
    dataset, model = make_things(ada)
    with session_scope() as session:
        save_draft(session, ada, {"dataset_id": dataset, "model_id": model, "step": 4, "reached": 4})
        session.delete(session.get_one(Dataset, dataset))
    found = opened(ada)
    assert (found.dataset_id, found.step, found.reached) == (0, 1, 1)
    assert "was deleted or is not ready" in found.notice


def test_a_clone_brings_the_recipe(ada: Actor) -> None:
    dataset, model = make_things(ada)
    job = launch(ada, (dataset, model))
    found = opened(ada, clone=job)
    assert (found.dataset_id, found.model_id, found.step) == (dataset, model, 3)
    assert found.values["output_name"].endswith("-2")


def test_a_job_of_another_user_cannot_be_cloned(ada: Actor) -> None:
    make_things(ada)
    assert opened(ada, clone=99).notice == "There is no such training job."


def test_the_plan_needs_a_valid_form_but_the_presets_do_not(ada: Actor) -> None:
    dataset, model = make_things(ada)
    values = opened(ada, dataset=dataset, model=model).values | {"output_name": "a-run"}
    with session_scope() as session:
        parameters = session.get_one(VideoModel, model).parameters
        plan, cards, recipe = estimate(session, ada, dataset, model, values, [], parameters, "classification", False)
        assert plan.known
        assert recipe is not None
        bad = values | {"qlora.r": "-1"}
        plan, cards, recipe = estimate(session, ada, dataset, model, bad, [], parameters, "classification", False)
    assert not plan.known
    assert recipe is None
    assert [card.value for card in cards] == ["quick", "balanced", "best"]
