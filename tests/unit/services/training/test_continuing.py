"""Which adapters a run may continue from, and what it takes from them."""

import json
from typing import Any

import pytest

from orchestrator.domain.adapters import Adapter, AdapterLine, ResultKind
from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import delete_adapter, get_adapter
from orchestrator.services.adapters.files import home_folder
from orchestrator.services.db import session_scope
from orchestrator.services.training.clone import clone_job
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.rows import Preflight
from orchestrator.services.training.sweeps import launch_sweep
from tests.studio import make_person, make_things

Things = tuple[int, int]


def make_adapter(actor: Actor, things: Things, source_job: int = 900, **values: Any) -> int:
    """A stored adapter of rank 8 with its files."""
    with session_scope() as session:
        model = session.get_one(VideoModel, things[1])
        line = AdapterLine(owner_id=actor.user_id, name=f"cats-{source_job}", last_version=1)
        session.add(line)
        session.flush()
        known = {
            "owner_id": actor.user_id,
            "line_id": line.id,
            "name": line.name,
            "version": 1,
            "kind": ResultKind.ADAPTER,
            "source_job": source_job,
            "dataset_name": "Cats",
            "model_id": model.id,
            "model_name": model.name,
            "model_revision": model.revision,
            "family": model.family,
            "recipe": {"qlora": {"r": 8, "target_modules": ["query"]}},
        }
        adapter = Adapter(**(known | values))
        session.add(adapter)
        session.flush()
        adapter_id = adapter.id or 0
    folder = home_folder(adapter_id) / "adapter"
    folder.mkdir(parents=True)
    config = {"r": 8, "lora_alpha": 24, "use_rslora": True, "use_dora": False, "rank_pattern": {"query": 4}}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "labels.json").write_text(json.dumps(["purring", "sleeping"]))
    return adapter_id


def plan_of(actor: Actor, things: Things, adapter_id: int, **recipe: Any) -> Preflight:
    with session_scope() as session:
        return preflight(session, actor, *things, parse_recipe({"adapter": adapter_id, **recipe}))


def test_rank_and_layers_are_those_of_the_adapter_and_the_job_says_so(ada: Actor) -> None:
    things = make_things(ada)
    adapter_id = make_adapter(ada, things)
    plan = plan_of(ada, things, adapter_id)
    assert plan.problems == []
    assert plan.advice[0] == ("Continues from cats-900 v1: rank 8, alpha 24 and the layers are those of this adapter.")
    assert plan.advice[1].startswith("New classes begin untrained:")
    assert plan.advice[2] == "Classes of the adapter that no clip has are dropped: purring, sleeping."
    with session_scope() as session:
        asked = parse_recipe({"adapter": adapter_id, "qlora": {"r": 64, "dropout": 0.2}})
        row = launch_job(session, ada, *things, asked)
        recipe = session.get_one(TrainingJob, row.id).recipe
    qlora = recipe["qlora"]
    assert recipe["adapter"] == adapter_id
    assert (qlora["r"], qlora["alpha"], qlora["rslora"], qlora["dropout"]) == (8, 24, True, 0.2)
    assert (qlora["target_modules"], qlora["rank_pattern"]) == (["query"], {"query": 4})


def test_what_cannot_be_continued_is_refused_before_the_launch(ada: Actor) -> None:
    things = make_things(ada)
    refused = {
        "other weights": make_adapter(ada, things, 1, model_revision="f" * 64),
        "trained on ViViT": make_adapter(ada, things, 2, family="vivit", model_name="ViViT"),
        "complete model": make_adapter(ada, things, 3, kind=ResultKind.MODEL),
        "does not exist": make_adapter(make_person("eve"), things, 4),
        "not exist any more": 10**6,
    }
    for words, adapter_id in refused.items():
        [(field, sentence)] = plan_of(ada, things, adapter_id).problems
        assert field == "adapter"
        assert words in sentence
    mine = make_adapter(ada, things, 5)
    assert plan_of(ada, things, mine, training_type="pretrain").problems[0][0] == "adapter"
    (home_folder(mine) / "adapter" / "adapter_config.json").unlink()
    assert "no longer on the disk" in plan_of(ada, things, mine).problems[0][1]


def test_a_sweep_varies_neither_the_adapter_nor_what_comes_from_it(ada: Actor) -> None:
    things = make_things(ada)
    base = {"adapter": make_adapter(ada, things)}
    with session_scope() as session:
        for grid in ({"adapter": [1, 2]}, {"qlora.r": [4, 8]}):
            with pytest.raises(Invalid) as error:
                launch_sweep(session, ada, *things, base, grid)
            assert error.value.field == "sweep"
        sweep = launch_sweep(session, ada, *things, base, {"optim.learning_rate": [1e-3, 2e-3]})
        ranks = {session.get_one(TrainingJob, job.id).recipe["qlora"]["r"] for job in sweep.jobs}
    assert ranks == {8}


def test_an_adapter_names_its_parent_until_that_is_deleted(ada: Actor) -> None:
    things = make_things(ada)
    parent = make_adapter(ada, things, 1)
    child = make_adapter(ada, things, 2, recipe={"adapter": parent})
    with session_scope() as session:
        job = launch_job(session, ada, *things, parse_recipe({"adapter": parent}))
        row = get_adapter(session, ada, child)
        assert (row.parent_id, row.parent_name) == (parent, "cats-1 v1")
        assert clone_job(session, ada, job.id).recipe["adapter"] == parent
        delete_adapter(session, ada, parent)
    with session_scope() as session:
        row = get_adapter(session, ada, child)
        assert (row.parent_id, row.parent_name) == (parent, "")
        copy = clone_job(session, ada, job.id)
    assert copy.recipe["adapter"] is None
    assert "was deleted" in copy.notes[0]
