"""A clone says which version of the dataset it takes, and what of the job was deleted; any version can be chosen."""

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import Change, edit_clips
from orchestrator.services.db import session_scope
from orchestrator.services.training.clone import Clone, clone_job, next_name
from orchestrator.services.training.idempotency import KeyReused
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.retry import retry_smaller
from tests.studio import job_of, launch, make_things


def cloned(actor: Actor, job_id: int) -> Clone:
    with session_scope() as session:
        return clone_job(session, actor, job_id)


def relabel(actor: Actor, dataset_id: int, count: int) -> None:
    """Makes a version in which this many clips have a class of their own."""
    with session_scope() as session:
        left = select(Clip.id).where(Clip.dataset_id == dataset_id, Clip.label == "left").limit(count)
        edit_clips(session, actor, dataset_id, [clip or 0 for clip in session.exec(left)], Change(label="third"))


def test_a_clone_says_when_the_dataset_was_edited_since(ada: Actor) -> None:
    dataset, model = make_things(ada)
    job = launch(ada, (dataset, model), output_name="night-run")
    assert cloned(ada, job).notes == []
    relabel(ada, dataset, 4)
    found = cloned(ada, job)
    assert (found.own_version, found.newest_version, found.deleted) == (1, 2, {})
    assert found.notes == [
        "night-run learned from version 1 of Motions. The new job takes version 2, the newest, "
        "unless you choose version 1."
    ]


def test_a_clone_says_what_was_deleted(ada: Actor) -> None:
    dataset, model = make_things(ada)
    job = launch(ada, (dataset, model))
    with session_scope() as session:
        session.delete(session.get_one(Dataset, dataset))
        session.delete(session.get_one(VideoModel, model))
    found = cloned(ada, job)
    assert (found.dataset_id, found.model_id) == (None, None)
    assert found.deleted == {
        "dataset_id": "The dataset Motions of this job was deleted. Choose another one.",
        "model_id": "The base model Tiny VideoMAE of this job was deleted. Choose another one.",
    }


def test_a_clone_says_when_the_base_has_other_weights(ada: Actor) -> None:
    dataset, model = make_things(ada)
    job = launch(ada, (dataset, model))
    with session_scope() as session:
        session.get_one(TrainingJob, job).model_revision = "a"
        session.get_one(VideoModel, model).revision = "b"
    assert cloned(ada, job).notes == ["Tiny VideoMAE has other weights than when adapter was launched."]


def test_an_older_version_can_be_trained_on(ada: Actor) -> None:
    things = make_things(ada)
    relabel(ada, things[0], 4)
    with session_scope() as session:
        old, new = (preflight(session, ada, *things, parse_recipe({}), version) for version in (1, 0))
        # Of 10 and 10 clips a fifth validates; of 6, 4 and 10 less is left over.
        assert (old.train_clips, old.validation_clips) == (16, 4)
        assert (new.train_clips + new.validation_clips, new.ok) == (20, True)
        first = launch_job(session, ada, *things, parse_recipe({}), "key", 1)
        assert launch_job(session, ada, *things, parse_recipe({}), "key", 1).id == first.id
        with pytest.raises(KeyReused):
            launch_job(session, ada, *things, parse_recipe({}), "key")
        assert launch_job(session, ada, *things, parse_recipe({}), "other").dataset_version == 2
    assert job_of(first.id).dataset_version == 1


@pytest.mark.parametrize("version", [3, -1])
def test_a_version_that_does_not_exist_is_refused(ada: Actor, version: int) -> None:
    things = make_things(ada)
    relabel(ada, things[0], 4)
    with (
        session_scope() as session,
        pytest.raises(Invalid, match=r"no version -?\d; its versions are 1 to 2") as refused,
    ):
        launch_job(session, ada, *things, parse_recipe({}), "key", version)
    assert refused.value.field == "dataset_version"


def test_a_retry_learns_from_the_clips_of_the_failed_run(ada: Actor) -> None:
    things = make_things(ada)
    job = launch(ada, things, optim={"batch_size": 4})
    with session_scope() as session:
        session.get_one(TrainingJob, job).status = JobStatus.FAILED
    relabel(ada, things[0], 4)
    with session_scope() as session:
        again = retry_smaller(session, ada, job)
    assert (again.dataset_version, again.recipe["optim"]["batch_size"]) == (1, 2)
    with session_scope() as session:
        session.delete(session.get_one(Dataset, things[0]))
    with session_scope() as session, pytest.raises(Conflict, match="was deleted, so it cannot run again"):
        retry_smaller(session, ada, job)


@pytest.mark.parametrize(
    ("name", "following"),
    [("adapter", "adapter-2"), ("adapter-2", "adapter-3"), ("a" * 64, "a" * 61 + "-2"), ("run-2026x", "run-2026x-2")],
)
def test_the_next_name(name: str, following: str) -> None:
    assert next_name(name) == following
