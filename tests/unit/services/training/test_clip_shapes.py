"""What a base sees of a dataset's clips is said before the job is queued, and which clip is too short for it."""

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


def test_the_clips_are_listed_by_size_with_what_they_take(ada: Actor) -> None:
    things = things_of(ada, "qwen2_vl", [])
    with session_scope() as session:
        clips = session.exec(select(Clip).where(Clip.dataset_id == things[0]).order_by(col(Clip.id))).all()
        for place, clip in enumerate(clips):
            clip.width, clip.height = (56, 112) if place < 2 else (112, 56)
            clip.frames, clip.duration_s = (40, 4.0) if place % 2 else (400, 40.0)
        count = len(clips)
    with session_scope() as session:
        plan = preflight(session, ada, *things, parse_recipe({}))
        wide, high = plan.shapes
        assert (wide.width, wide.height, wide.clips) == (112, 56, count - 2)
        assert (high.width, high.height, high.clips) == (56, 112, 2)
        # 2 frames a second of 4 s and 32 at most, joined by two, each of 4 x 2 tokens of 28 pixels.
        assert (wide.least_frames, wide.most_frames) == (high.least_frames, high.most_frames) == (8, 32)
        assert (wide.seen_width, wide.seen_height) == (112, 56)
        assert (wide.least_tokens, wide.most_tokens) == (4 * 8, 16 * 8)
        assert (plan.over_context, wide.over_context) == (0, 0)
        model = session.get_one(VideoModel, things[1])
        model.details = {"sight": (read_vision_layout("qwen2_vl", CONFIG) or {}) | {"context": 64 + 100}}
        session.flush()
        plan = preflight(session, ada, *things, parse_recipe({}))
        over = sum(clip.frames == 400 for clip in clips)
        assert plan.over_context == over == sum(group.over_context for group in plan.shapes)
        assert 0 < over < count
        assert [field for field, _ in plan.problems] == ["data.frame_tokens"]


def test_an_encoder_sees_as_many_frames_of_each_clip(ada: Actor) -> None:
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        for clip in session.exec(select(Clip).where(Clip.dataset_id == dataset_id)).all():
            clip.width, clip.height = 320, 180
    with session_scope() as session:
        (group,) = preflight(session, ada, dataset_id, model_id, parse_recipe({})).shapes
        assert (group.width, group.height) == (320, 180)
        assert group.least_frames == group.most_frames > 0
        assert group.most_tokens == group.over_context == 0
