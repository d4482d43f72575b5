"""The first steps of an account tick themselves from what is true, and can be put away."""

import pytest

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor, Milestone
from orchestrator.services.db import session_scope
from orchestrator.services.milestones import FirstSteps, first_steps, hide_checklist, reach
from orchestrator.states.overview.checklist import checklist
from tests.studio import launch, make_person, make_things


def steps_of(actor: Actor) -> FirstSteps:
    with session_scope() as session:
        return first_steps(session, actor)


def finish(job_id: int, **dataset: object) -> None:
    with session_scope() as session:
        job = session.get_one(TrainingJob, job_id)
        job.status = JobStatus.COMPLETED
        for name, value in dataset.items():
            setattr(session.get_one(Dataset, job.dataset_id), name, value)


def test_a_new_account_has_done_nothing(ada: Actor) -> None:
    assert steps_of(ada) == FirstSteps()
    assert [item.done for item in checklist(FirstSteps())] == [False] * 5


@pytest.mark.parametrize("is_demo", [True, False])
def test_a_completed_job_counts_for_the_demo_or_for_own_clips(ada: Actor, is_demo: bool) -> None:
    job_id = launch(ada, make_things(ada))
    assert not steps_of(ada).demo_trained
    finish(job_id, is_demo=is_demo, status=DatasetStatus.READY, clip_count=4)
    steps = steps_of(ada)
    assert (steps.demo_trained, steps.own_training, steps.clips_added) == (is_demo, not is_demo, not is_demo)


def test_what_another_account_did_does_not_count(ada: Actor) -> None:
    bob = make_person("bob")
    finish(launch(bob, make_things(bob)), is_demo=True)
    with session_scope() as session:
        reach(session, bob, Milestone.DOWNLOAD)
    assert steps_of(ada) == FirstSteps()
    assert steps_of(bob).downloaded


def test_a_milestone_is_stored_once(ada: Actor) -> None:
    for _ in range(2):
        with session_scope() as session:
            reach(session, ada, Milestone.PLAYGROUND)
    assert steps_of(ada) == FirstSteps(playground=True)


def test_the_checklist_is_put_away_and_shown_again(ada: Actor) -> None:
    with session_scope() as session:
        hide_checklist(session, ada)
        hide_checklist(session, ada)
    assert steps_of(ada) == FirstSteps(hidden=True)
    assert checklist(steps_of(ada)) == []
    with session_scope() as session:
        hide_checklist(session, ada, hidden=False)
    assert steps_of(ada) == FirstSteps()
