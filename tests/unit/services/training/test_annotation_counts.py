"""The preflight says what clips with several annotations hold: captions and questions, of any version."""

import pytest

from orchestrator.domain.annotations import Conversation, Turn
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.models import ModelSource, ModelStatus, ModelType, VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import Annotation, Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import Change, edit_clips
from orchestrator.services.db import session_scope
from orchestrator.services.training.annotation_counts import annotations_advice, count_annotations
from orchestrator.services.training.preflight import preflight
from orchestrator.states.datasets.layout_view import _annotations_text, _clips_text
from tests.unit.services.datasets.curation.test_edits import make

TALK = Conversation((Turn("What?", "A cat."), Turn("Where?", "There.")))


def _model(family: str, model_type: ModelType) -> VideoModel:
    return VideoModel(
        name="base",
        model_type=model_type,
        family=family,
        architecture=family,
        source=ModelSource.BUILTIN,
        status=ModelStatus.READY,
        path="/tmp",
        parameters=1000,
    )


def test_every_version_is_counted(ada: Actor) -> None:
    clips = [{"caption": "One."}, {"caption": "Here.", "prompt": "Where?"}, {"caption": "Three.", "label": "run"}]
    dataset_id, ids = make(ada, clips, Task.CAPTIONING)
    with session_scope() as session:
        assert count_annotations(session, dataset_id) == {"labels": 1, "captions": 2, "questions": 1}
        edit_clips(session, ada, dataset_id, ids[:1], Change(captions=["a", "b"], conversations=[TALK]))
        assert count_annotations(session, dataset_id) == {"labels": 1, "captions": 3, "questions": 3}
        assert count_annotations(session, dataset_id, 1) == {"labels": 1, "captions": 2, "questions": 1}


def test_the_preflight_says_that_captions_are_drawn(ada: Actor) -> None:
    dataset_id, ids = make(ada, [{"caption": "One."}] * 4, Task.CAPTIONING)
    with session_scope() as session:
        session.add(model := _model("captioner", ModelType.CAPTIONING))
        session.flush()
        edit_clips(session, ada, dataset_id, ids, Change(captions=[f"caption {n}" for n in range(10)]))
        plan = preflight(session, ada, dataset_id, model.id or 0, parse_recipe({}))
        assert (plan.problems, plan.annotations["captions"]) == ([], 40)
        assert plan.advice[0] == (
            "40 captions of 4 clips: each epoch draws one caption of each training clip; all are used on the "
            "validation clips."
        )
        assert session.get_one(Dataset, dataset_id).version == 2
        assert session.get_one(Clip, ids[0]).annotated.captions[9] == "caption 9"


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("qwen2_vl", ["3 captions and 5 questions of 2 clips: each epoch draws one conversation or caption of each "]),
        ("captioner", ["3 captions of 2 clips: each epoch draws one caption of each "]),
        ("videomae", []),
    ],
)
def test_what_a_base_does_not_read_is_not_counted(family: str, expected: list[str]) -> None:
    kind = ModelType.CLASSIFICATION if family == "videomae" else ModelType.CAPTIONING
    said = annotations_advice(_model(family, kind), {"labels": 9, "captions": 3, "questions": 5}, 2)
    assert [sentence.partition("training")[0] for sentence in said] == expected
    assert annotations_advice(_model(family, kind), {"labels": 9, "captions": 2, "questions": 0}, 2) == []


def test_the_review_counts_spans_labels_and_questions() -> None:
    preview = {"spans": 4, "films": 2, "class_count": 3, "labels": 7, "captions": 40, "turns": 1}
    assert _clips_text(preview, 4).replace("\u00a0", " ") == "4 clips (spans of 2 films)"
    assert _clips_text(preview, 6).replace("\u00a0", " ") == "6 clips (4 of them spans of films)"
    assert _annotations_text(preview, 4, Annotation.LABEL).replace("\u00a0", " ") == "3 classes, 7 labels"
    both = _annotations_text(preview, 4, Annotation.CAPTION).replace("\u00a0", " ")
    assert both == "40 captions, 1 question with its answer"
