"""A job whose memory ran out starts again with a smaller batch: as many clips a step as before, as its page says."""

import pytest

from orchestrator.domain.errors import Conflict
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from orchestrator.services.training.jobs import get_job
from orchestrator.services.training.recipe_limits import fit_problems
from orchestrator.services.training.retry import retry_smaller
from orchestrator.states.jobs.rows import job_head
from tests.studio import job_of, launch, make_things


def ran_out(actor: Actor, batch: int, accumulation: int) -> int:
    """A job that failed for its memory."""
    optim = {"batch_size": batch, "gradient_accumulation": accumulation}
    job_id = launch(actor, make_things(actor, clips=40), optim=optim)
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, 1, "w")
        assert lifecycle.fail(session, job_id, 1, FailureKind.OUT_OF_MEMORY, "The memory ran out.")
    return job_id


@pytest.mark.parametrize(("batch", "accumulation"), [(8, 1), (5, 1), (9, 2)])
def test_a_retry_sees_as_many_clips_a_step(ada: Actor, batch: int, accumulation: int) -> None:
    job_id = ran_out(ada, batch, accumulation)
    with session_scope() as session:
        head = job_head(get_job(session, ada, job_id))
        again = retry_smaller(session, ada, job_id)
        assert retry_smaller(session, ada, job_id).id == again.id
    optim = job_of(again.id).recipe["optim"]
    assert optim["batch_size"] * optim["gradient_accumulation"] == batch * accumulation
    assert optim["batch_size"] < batch
    assert (head.smaller_batch, head.smaller_accumulation) == (optim["batch_size"], optim["gradient_accumulation"])
    # What the wizard advises before the launch is the same.
    recipe = parse_recipe({"optim": {"batch_size": batch, "gradient_accumulation": accumulation}})
    advice = f"Try a batch of {head.smaller_batch} with {head.smaller_accumulation} times accumulation"
    assert advice in fit_problems(recipe, 2 * 10**9, 10**9)[0][1]


def test_a_single_clip_has_no_smaller_batch(ada: Actor) -> None:
    job_id = ran_out(ada, 1, 8)
    with session_scope() as session:
        assert job_head(get_job(session, ada, job_id)).smaller_batch == 0
        with pytest.raises(Conflict, match="single clip"):
            retry_smaller(session, ada, job_id)


def test_a_retriever_is_not_offered_a_batch_of_one(ada: Actor) -> None:
    job_id = ran_out(ada, 5, 1)
    with session_scope() as session:
        assert job_head(get_job(session, ada, job_id), contrasts=True).smaller_batch == 0
