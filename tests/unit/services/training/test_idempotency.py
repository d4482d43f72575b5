"""A key is bound to what was asked for with it: the same again answers the same, another body is refused."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import func, select

from orchestrator.domain.queueing import Sweep
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.idempotency import KeyReused
from orchestrator.services.training.sweeps import launch_sweep
from tests.studio import launch, make_things

GRID = {"optim.learning_rate": [1e-3, 2e-3], "qlora.r": [8, 16]}


def sweep(actor: Actor, things: tuple[int, int], grid: dict[str, list[Any]], key: str = "key", **base: Any) -> int:
    with session_scope() as session:
        return launch_sweep(session, actor, *things, base, grid, key).id


def count(table: type[TrainingJob] | type[Sweep]) -> int:
    with session_scope() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_the_same_values_match_however_they_are_written(ada: Actor) -> None:
    things = make_things(ada)
    first = launch(ada, things, "key", optim={"epochs": 3, "learning_rate": 2e-3})
    assert launch(ada, things, "key", optim={"learning_rate": "2e-3", "epochs": "3"}) == first
    assert count(TrainingJob) == 1


@pytest.mark.parametrize(
    "other", [{"output_name": "key-two"}, {"optim": {"learning_rate": 5e-3}}, {"training_type": "pretrain"}]
)
def test_another_recipe_under_the_same_key_is_refused(ada: Actor, other: dict[str, Any]) -> None:
    things = make_things(ada)
    job = launch(ada, things, "key", output_name="key-one")
    with pytest.raises(KeyReused, match=rf"launched the job key-one \(#{job}\), which was asked for with other values"):
        launch(ada, things, "key", **other)
    assert count(TrainingJob) == 1


def test_another_dataset_or_model_under_the_same_key_is_refused(ada: Actor) -> None:
    (dataset, model), (other_dataset, other_model) = make_things(ada), make_things(ada)
    launch(ada, (dataset, model), "key")
    for things in ((other_dataset, model), (dataset, other_model)):
        with pytest.raises(KeyReused):
            launch(ada, things, "key")
    assert count(TrainingJob) == 1


def test_a_sweep_is_bound_to_its_grid_and_its_base(ada: Actor) -> None:
    things = make_things(ada)
    first = sweep(ada, things, GRID)
    shuffled = {name: random.sample(values, 2) for name, values in reversed(GRID.items())}
    assert sweep(ada, things, shuffled) == first
    others = [(GRID | {"qlora.r": [8, 32]}, {}), (GRID, {"optim": {"epochs": 9}}), (GRID, {"output_name": "x"})]
    for grid, base in others:
        with pytest.raises(KeyReused):
            sweep(ada, things, grid, **base)
    assert (count(Sweep), count(TrainingJob)) == (1, 4)


def test_one_key_launches_either_a_job_or_a_sweep(ada: Actor) -> None:
    things = make_things(ada)
    launch(ada, things, "single")
    with pytest.raises(KeyReused):
        sweep(ada, things, GRID, "single")
    sweep(ada, things, GRID, "several")
    for key in ("several", "several#1"):
        with pytest.raises(KeyReused):
            launch(ada, things, key)


def test_ten_sweeps_at_once_under_one_key_are_one(ada: Actor) -> None:
    things = make_things(ada)
    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(lambda _: sweep(ada, things, GRID), range(10)))
    assert (len(ids), count(Sweep), count(TrainingJob)) == (1, 1, 4)


def test_a_job_from_before_hashes_were_stored_is_answered_as_it_was(ada: Actor) -> None:
    things = make_things(ada)
    job_id = launch(ada, things, "key")
    with session_scope() as session:
        session.get_one(TrainingJob, job_id).request_hash = ""
    assert launch(ada, things, "key", output_name="other") == job_id
