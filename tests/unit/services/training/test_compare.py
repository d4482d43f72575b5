"""Comparing says what really differed: versions of the dataset, records of one name, weights of the base."""

from typing import Any

import pytest

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.compare import Line, compare_jobs
from tests.studio import launch, make_things


def lines(actor: Actor, *jobs: int) -> dict[str, Line]:
    with session_scope() as session:
        return {line.name: line for line in compare_jobs(session, actor, jobs).parameters}


def changed(table: Any, record_id: int, **values: Any) -> None:
    with session_scope() as session:
        record = session.get_one(table, record_id)
        for name, value in values.items():
            setattr(record, name, value)


def test_two_versions_of_one_dataset_differ(ada: Actor) -> None:
    dataset, model = make_things(ada)
    first = launch(ada, (dataset, model))
    changed(Dataset, dataset, version=3)
    found = lines(ada, first, launch(ada, (dataset, model)))
    assert (found["dataset_version"].values, found["dataset_version"].differs) == ((1, 3), True)
    assert (found["dataset"].values, found["dataset"].differs) == (("Motions", "Motions"), False)
    assert [name for name, line in found.items() if line.differs] == ["dataset_version"]


@pytest.mark.parametrize("place", [0, 1])
def test_two_records_of_one_name_differ(ada: Actor, place: int) -> None:
    first, second = make_things(ada), make_things(ada)
    other = (second[0], first[1]) if place == 0 else (first[0], second[1])
    name = ("dataset", "model")[place]
    line = lines(ada, launch(ada, first), launch(ada, other))[name]
    assert line.differs
    assert [str(value).partition(" (#")[2] for value in line.values] == [f"{first[place]})", f"{other[place]})"]


def test_a_deleted_dataset_of_the_same_name_differs(ada: Actor) -> None:
    first, second = make_things(ada), make_things(ada)
    jobs = launch(ada, first), launch(ada, second)
    with session_scope() as session:
        session.delete(session.get_one(Dataset, first[0]))
    assert lines(ada, *jobs)["dataset"].values == ("Motions (deleted)", f"Motions (#{second[0]})")


def test_other_weights_of_one_base_differ(ada: Actor) -> None:
    things = make_things(ada)
    jobs = [launch(ada, things) for _ in range(2)]
    assert "model_revision" not in lines(ada, *jobs)
    changed(VideoModel, things[1], revision="b" * 40)
    changed(TrainingJob, jobs[0], model_revision="a" * 40)
    line = lines(ada, jobs[0], launch(ada, things))["model_revision"]
    assert (line.values, line.differs) == (("a" * 12, "b" * 12), True)
