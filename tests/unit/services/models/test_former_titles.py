"""A base model that an earlier version stored under a former title of its family is shown and checked by today's."""

from pathlib import Path

from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.models.catalog import apply_facts, new_model
from orchestrator.services.models.inspect import ModelFacts
from orchestrator.services.models.rows import model_row

FACTS = ModelFacts("video_llama_3", "VideoLLaMA 3", "video_captioning", 1, 1, "revision")


def _stored() -> VideoModel:
    return VideoModel(
        id=1,
        name="m",
        model_type=ModelType.CAPTIONING,
        architecture="Video-LLaMA",
        family="video_llama_3",
        source=ModelSource.HUB,
        status=ModelStatus.ERROR,
    )


def test_a_stored_row_shows_the_title_of_today() -> None:
    assert model_row(_stored(), 0, 0, editable=True).architecture == "VideoLLaMA 3"


def test_a_check_that_is_tried_again_accepts_the_former_title(tmp_path: Path) -> None:
    model = _stored()
    apply_facts(model, tmp_path, FACTS)
    assert (model.architecture, model.status) == ("VideoLLaMA 3", ModelStatus.READY)


def test_a_script_may_name_the_former_title(ada: Actor) -> None:
    with session_scope() as session:
        made = new_model(session, ada, "llama", "", "video_captioning", "Video-LLaMA")
    assert made.architecture == "VideoLLaMA 3"
