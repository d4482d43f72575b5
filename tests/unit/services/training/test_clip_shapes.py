"""A clip that is too short for a base's processor is named before the job is queued."""

import pytest
from sqlmodel import col, select

from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.models.vision_tokens import read_vision_layout
from orchestrator.services.training.preflight import preflight
from tests.studio import make_things

CONFIG = {"vision_config": {"patch_size": 14, "image_size": 56}, "text_config": {"hidden_size": 64}}


def things_of(ada: Actor, family: str, frames: list[int]) -> tuple[int, int]:
    """A dataset whose first clips have so many frames, and a base of the family."""
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).task = Task.CAPTIONING
        model = session.get_one(VideoModel, model_id)
        model.family, model.model_type = family, ModelType.CAPTIONING
        model.details = {"sight": read_vision_layout(family, CONFIG)}
        clips = session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(col(Clip.id))).all()
        for place, clip in enumerate(clips):
            clip.label, clip.caption, clip.name = "", "it hops", f"{place}.mp4"
            clip.frames = frames[place] if place < len(frames) else 40
    return dataset_id, model_id


@pytest.mark.parametrize("family", ["llava_onevision", "internvl"])
def test_a_fixed_number_of_frames_needs_as_many_in_each_clip(ada: Actor, family: str) -> None:
    things = things_of(ada, family, [7, 5])
    with session_scope() as session:
        assert preflight(session, ada, *things, parse_recipe({})).problems == [
            (
                "data.frames",
                "1.mp4 has 5\u00a0frames, and this base is shown at least 8 of each clip. Another clip of the dataset "
                "has too few as well. Enter 5 or fewer as Frames, or leave such clips out.",
            )
        ]
        assert not preflight(session, ada, *things, parse_recipe({"data": {"frames": 5}})).problems
        assert not preflight(session, ada, *things, parse_recipe({"data": {"frame_shape": "square"}})).problems


def test_frames_that_are_joined_in_pairs_need_two(ada: Actor) -> None:
    things = things_of(ada, "qwen2_vl", [1])
    with session_scope() as session:
        ((field, text),) = preflight(session, ada, *things, parse_recipe({})).problems
        assert (field, text.partition(", and")[0]) == ("dataset_id", "0.mp4 has 1\u00a0frame")
    things = things_of(ada, "qwen2_vl", [2])
    with session_scope() as session:
        assert not preflight(session, ada, *things, parse_recipe({})).problems
