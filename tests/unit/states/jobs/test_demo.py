"""The demo in one click: one job with the defaults of the wizard, however often the button is pressed."""

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Unavailable
from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.users import Actor, Role
from orchestrator.services.db import session_scope
from orchestrator.services.training.jobs import get_job
from orchestrator.states.jobs.demo import launch_demo
from tests.api_client import sign_in
from tests.studio import make_things


@pytest.fixture
def actor(home: object) -> Actor:
    return Actor(int(sign_in("ada").get("/api/v1/me").json()["id"]), "ada", "", Role.MEMBER)


def test_the_demo_is_launched_once_for_a_key(actor: Actor) -> None:
    dataset_id, model_id = make_things(actor)
    with session_scope() as session:
        for dataset in session.exec(select(Dataset)):
            dataset.is_demo = dataset.id == dataset_id
        session.get_one(VideoModel, model_id).source = ModelSource.BUILTIN
    with session_scope() as session:
        first = launch_demo(session, actor, "key-of-one-press")
    with session_scope() as session:
        assert launch_demo(session, actor, "key-of-one-press") == first
        row = get_job(session, actor, first)
        assert (row.dataset_id, row.model_id) == (dataset_id, model_id)
        assert row.recipe["qlora"]["r"] == 16


def test_without_demo_clips_it_says_so(actor: Actor) -> None:
    with session_scope() as session, pytest.raises(Unavailable, match="not ready yet"):
        launch_demo(session, actor, "key")
