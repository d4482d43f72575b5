"""A dataset with questions is refused for a base that is not asked, and accepted for one that is."""

import pytest
from sqlmodel import col, select

from orchestrator.domain.annotations import Annotations, Conversation, Turn
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.preflight import preflight
from tests.studio import make_things

TALK = Conversation((Turn('Says "captions":[ what?', "a disc"),))


def things_of(ada: Actor, family: str, model_type: ModelType, annotations: Annotations) -> tuple[int, int]:
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).task = Task.CAPTIONING
        model = session.get_one(VideoModel, model_id)
        model.family, model.model_type, model.name = family, model_type, "Base"
        for place, clip in enumerate(session.exec(select(Clip).order_by(col(Clip.id)))):
            clip.annotate(annotations if place < 3 else Annotations(captions=("it hops",)))
    return dataset_id, model_id


@pytest.mark.parametrize(
    ("family", "model_type"),
    [("vision-encoder-decoder", ModelType.CAPTIONING), ("xclip", ModelType.RETRIEVAL)],
)
def test_a_base_that_is_not_asked_is_refused_by_name_and_number(ada: Actor, family: str, model_type: ModelType) -> None:
    dataset_id, model_id = things_of(ada, family, model_type, Annotations(conversations=(TALK, TALK)))
    with session_scope() as session:
        plan = preflight(session, ada, dataset_id, model_id, parse_recipe({}))
        assert plan.problems == [
            (
                "model_id",
                "3 clips have questions and no caption, and Base is not asked questions: it would learn the answers as "
                "if they described the clips. Choose a video language model, or write captions.",
            )
        ]
        with pytest.raises(Invalid, match="3 clips have questions"):
            launch_job(session, ada, dataset_id, model_id, parse_recipe({}))


def test_captions_next_to_the_questions_are_enough(ada: Actor) -> None:
    both = Annotations(captions=("it hops",), conversations=(TALK,))
    with session_scope() as session:
        things = things_of(ada, "vision-encoder-decoder", ModelType.CAPTIONING, both)
        assert not preflight(session, ada, *things, parse_recipe({})).problems


def test_a_single_question_in_the_short_form_counts_too(ada: Actor) -> None:
    things = things_of(ada, "xclip", ModelType.RETRIEVAL, Annotations(conversations=(TALK,)))
    with session_scope() as session:
        assert not session.exec(select(Clip).order_by(col(Clip.id))).first().annotations  # type: ignore[union-attr]
        assert "3 clips have questions" in preflight(session, ada, *things, parse_recipe({})).problems[0][1]


def test_a_video_language_model_is_asked(ada: Actor) -> None:
    things = things_of(ada, "qwen2_vl", ModelType.CAPTIONING, Annotations(conversations=(TALK,)))
    with session_scope() as session:
        assert not preflight(session, ada, *things, parse_recipe({})).problems
