"""Annotations of another kind become ones that the task takes by an act that is seen, and can be undone."""

import pytest

from orchestrator.domain.annotations import Annotations, Conversation, Turn
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.conversions import Conversion, convert_annotations
from orchestrator.services.datasets.curation.doctor import apply_action, examine
from orchestrator.services.datasets.curation.edits import Change, edit_clips, undo_edit
from orchestrator.services.db import session_scope
from orchestrator.services.training.split_counts import count_split
from tests.unit.services.datasets.curation.test_edits import make

SEVERAL = Annotations(("up", "left"))
ASKED = Annotations((), (), (Conversation((Turn("What?", "A cat."), Turn("Where?", "There."))),))
WAITING = {"status": ClipStatus.QUARANTINED, "problem": "x", "problem_kind": ClipProblem.OTHER_ANNOTATION}


def waiting(ada: Actor, task: Task, annotations: Annotations) -> tuple[int, list[int]]:
    """A dataset of the task whose third clip has these annotations."""
    used = [{"label": name, "caption": f"A {name}."} for name in ("left", "right", "left", "right")]
    dataset_id, ids = make(ada, [*used, WAITING], task)
    with session_scope() as session:
        session.get_one(Clip, ids[-1]).annotate(annotations)
    return dataset_id, ids


@pytest.mark.parametrize(
    ("task", "before", "action", "after"),
    [
        (
            Task.CAPTIONING,
            Annotations(("up", "left")),
            "labels_to_captions",
            Annotations(("up", "left"), ("up, left",)),
        ),
        (Task.RETRIEVAL, ASKED, "answers_to_captions", Annotations((), ("A cat.", "There."))),
    ],
)
def test_the_doctor_offers_what_helps(
    ada: Actor, task: Task, before: Annotations, action: str, after: Annotations
) -> None:
    dataset_id, ids = waiting(ada, task, before)
    with session_scope() as session:
        finding = next(found for found in examine(session, ada, dataset_id).findings if found.kind == "other-kind")
        assert (finding.clip_ids, [key for key, _ in finding.actions]) == (ids[-1:], [action])
        edit = apply_action(session, ada, dataset_id, "other-kind", action)
        clip = session.get_one(Clip, ids[-1])
        assert (clip.annotated, clip.status, clip.problem_kind) == (after, ClipStatus.OK, None)
        assert edit
        undo_edit(session, ada, dataset_id, edit.id)
        assert (clip.annotated, clip.status) == (before, ClipStatus.QUARANTINED)
        assert clip.problem_kind is ClipProblem.OTHER_ANNOTATION


def test_clips_with_several_labels_can_keep_the_first_one(ada: Actor) -> None:
    dataset_id, ids = make(ada, [{"label": name} for name in ("left", "right", "left", "right")])
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(labels=SEVERAL.labels))
        assert count_split(session, dataset_id, 0.25).has_several_labels
        edit = convert_annotations(session, ada, dataset_id, Conversion.FIRST_LABEL)
        assert (edit and edit.clips, session.get_one(Clip, ids[0]).annotated) == (1, Annotations(("up",)))
        assert not count_split(session, dataset_id, 0.25).has_several_labels
        assert count_split(session, dataset_id, 0.25, version=2).has_several_labels


def test_captions_become_answers_to_the_question_that_is_given(ada: Actor) -> None:
    dataset_id, ids = make(ada, [{"caption": "One."}, {"caption": "Two."}], Task.CAPTIONING)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(captions=["One.", "More."]))
        question = Conversion.CAPTIONS_TO_QUESTIONS
        with pytest.raises(Invalid) as refused:
            convert_annotations(session, ada, dataset_id, question, question=" ")
        assert refused.value.field == "question"
        convert_annotations(session, ada, dataset_id, question, question="What happens?")
        clips = [session.get_one(Clip, clip_id) for clip_id in ids]
        assert [clip.annotated for clip in clips] == [
            Annotations((), (), tuple(Conversation((Turn("What happens?", text),)) for text in ("One.", "More."))),
            Annotations((), (), (Conversation((Turn("What happens?", "Two."),)),)),
        ]
        assert convert_annotations(session, ada, dataset_id, question, question="What happens?") is None
        with pytest.raises(Invalid, match="Choose from: first_label"):
            convert_annotations(session, ada, dataset_id, "nonsense")


def test_a_conversion_that_leaves_nothing_to_train_on_is_refused(ada: Actor) -> None:
    dataset_id, _ = make(ada, [{"caption": "One."}, {"caption": "Two."}], Task.RETRIEVAL)
    with pytest.raises(Conflict, match="No clip would be left"), session_scope() as session:
        convert_annotations(session, ada, dataset_id, Conversion.CAPTIONS_TO_QUESTIONS)


def test_spans_that_contradict_each_other_are_found(ada: Actor) -> None:
    spans = [("run", 0, 4), ("jump", 3, 6), ("jump", 5, 8), ("run", 8, 9)]
    rows = [{"label": name, "start_s": a, "end_s": b, "content_hash": "f" * 64} for name, a, b in spans]
    dataset_id, ids = make(ada, rows)
    with session_scope() as session:
        found = {finding.kind: finding for finding in examine(session, ada, dataset_id).findings}
    assert found["overlap"].clip_ids == ids[:2]
    assert found["overlap"].detail.startswith("0.mp4: run (0 to 4 s) and jump (3 to 6 s).")
