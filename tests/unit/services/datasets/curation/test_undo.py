"""Edits in any order and of any letters: a clip's use never goes against its words, and what looks alike is alike."""

from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import Change, edit_clips, undo_edit
from orchestrator.services.db import session_scope
from tests.unit.services.datasets.curation.test_edits import make, two_classes


def test_no_clip_is_taken_in_without_words_by_undoing(ada: Actor) -> None:
    mute = {"caption": "", "status": ClipStatus.QUARANTINED, "problem": "2.mp4 has no caption yet."}
    mute["problem_kind"] = ClipProblem.NOT_ANNOTATED
    dataset_id, ids = make(ada, [{"caption": "A square."}, {"caption": "A circle."}, mute, mute], Task.CAPTIONING)
    with session_scope() as session:
        written = edit_clips(session, ada, dataset_id, ids[2:], Change(caption="A star."))
        left_out = edit_clips(session, ada, dataset_id, ids[2:3], Change(status="quarantined"))
        edit_clips(session, ada, dataset_id, ids[3:], Change(caption="A moon."))
        assert written
        assert left_out
        undo_edit(session, ada, dataset_id, written.id)
        undo_edit(session, ada, dataset_id, left_out.id)
    with session_scope() as session:
        clips = [session.get_one(Clip, i) for i in ids[2:]]
        assert [(clip.caption, clip.status) for clip in clips] == [
            ("", ClipStatus.QUARANTINED),
            ("A moon.", ClipStatus.OK),  # it was written since, and stays in use
        ]


def test_a_label_that_looks_like_a_class_is_that_class(ada: Actor) -> None:
    dataset_id, ids = two_classes(ada)
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        edit_clips(session, ada, dataset_id, ids[:2], Change(label="Gru\u0308n\u200b"))
        assert dataset.class_names == ["Gr\u00fcn", "left", "right"]
        assert edit_clips(session, ada, dataset_id, ids[:1], Change(label="Gr\u00fcn")) is None
    decomposed, composed = "Ro\u0308t", "R\u00f6t"  # of an import before this was so
    dataset_id, ids = make(ada, [{"label": label} for label in (decomposed, decomposed, "left", "left", "left")])
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(split="train"))
        edit_clips(session, ada, dataset_id, ids[2:3], Change(label=composed))
        assert session.get_one(Dataset, dataset_id).class_names == [decomposed, "left"]


def test_the_first_labels_of_all_can_be_taken_back(ada: Actor) -> None:
    mute = {"label": "", "status": ClipStatus.QUARANTINED, "problem": "It has no label yet."}
    mute["problem_kind"] = ClipProblem.NOT_ANNOTATED
    dataset_id, ids = make(ada, [mute, mute])
    with session_scope() as session:
        first = edit_clips(session, ada, dataset_id, ids[:1], Change(label="left"))
        second = edit_clips(session, ada, dataset_id, ids[1:], Change(label="right"))
        assert first
        assert second
        for edit, classes in ((second, ["left"]), (first, [])):
            undo_edit(session, ada, dataset_id, edit.id)
            assert session.get_one(Dataset, dataset_id).class_names == classes
