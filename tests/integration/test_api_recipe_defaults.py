"""A job launched with base and dataset alone gets the defaults of both, and REST says where they are from."""

import pytest

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.defaults import recipe_defaults, with_defaults
from orchestrator.services.training.preflight import preflight
from tests.studio import make_person, make_things


@pytest.fixture
def things(ada: Actor) -> tuple[int, int]:
    """A dataset, and a classifier of the size that people use."""
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        session.get_one(VideoModel, model_id).parameters = 86_000_000
        assert session.get_one(Dataset, dataset_id)
    return dataset_id, model_id


def test_defaults_have_a_source(ada: Actor, things: tuple[int, int]) -> None:
    with session_scope() as session:
        found = {one.field: one for one in recipe_defaults(session, ada, *things)}
    assert (found["optim.learning_rate"].value, found["optim.head_lr"].value) == (2e-4, 2e-3)
    assert found["optim.head_lr"].source.startswith("A new classification head")


def test_only_what_is_left_out_is_filled_in(ada: Actor, things: tuple[int, int]) -> None:
    with session_scope() as session:
        filled = with_defaults(session, ada, *things, {"optim": {"epochs": 3}})
        assert filled["optim"] == {
            "epochs": 3,
            "learning_rate": 2e-4,
            "head_lr": 2e-3,
            "batch_size": 4,
            "gradient_accumulation": 2,
        }
        assert with_defaults(session, make_person("eve"), *things, {}) == {}


def test_a_loss_of_classes_is_refused_where_there_are_none(ada: Actor, things: tuple[int, int]) -> None:
    with session_scope() as session:
        fine = parse_recipe({"optim": {"focal_gamma": 2}})
        assert preflight(session, ada, *things, fine).problems == []
        whole = parse_recipe({"optim": {"focal_gamma": 2}, "training_type": "pretrain"})
        assert [field for field, _ in preflight(session, ada, *things, whole).problems] == ["optim.focal_gamma"]
