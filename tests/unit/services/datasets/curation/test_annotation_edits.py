"""Edits of typed annotations: several labels, captions, turns and spans, undone, and searched; former edits too."""

import ast

import pytest
from sqlmodel import col, select

from orchestrator.domain.annotations import Annotations, Conversation, Span, Turn
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, Split
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import list_clips
from orchestrator.services.datasets.curation.annotation_edits import (
    add_label,
    remove_label,
    repair_text,
    replace_in_texts,
)
from orchestrator.services.datasets.curation.edits import Change, assign_splits, edit_clips, undo_edit
from orchestrator.services.datasets.curation.versions import clips_at
from orchestrator.services.datasets.statistics import clip_statistics
from orchestrator.services.db import session_scope
from tests.source_tree import trees
from tests.unit.services.datasets.curation.test_edits import make

TALK = Conversation((Turn("What is it?", "A cat.\nIt sits."), Turn("Which one?", "red", ("red", "blue"))), "Be short.")
SEVERAL = Annotations((), ("A cat.", "A red cat."), (TALK,))


def annotated(dataset_id: int) -> list[Annotations]:
    with session_scope() as session:
        return [session.get_one(Clip, clip_id).annotated for clip_id in _ids(dataset_id)]


def _ids(dataset_id: int) -> list[int]:
    with session_scope() as session:
        return [
            i or 0 for i in session.exec(select(Clip.id).where(Clip.dataset_id == dataset_id).order_by(col(Clip.id)))
        ]


def captioned(ada: Actor) -> tuple[int, list[int]]:
    return make(ada, [{"caption": "One."}, {"caption": "Two.", "prompt": "What?"}], Task.CAPTIONING)


def test_lists_are_written_as_one_edit_and_undone(ada: Actor) -> None:
    dataset_id, ids = captioned(ada)
    before = annotated(dataset_id)
    with session_scope() as session:
        change = Change(captions=[" A cat. ", "A red cat."], conversations=[TALK])
        edit = edit_clips(session, ada, dataset_id, ids, change)
    assert edit
    assert edit.what == "2 clips: new captions, new questions and answers"
    assert annotated(dataset_id) == [SEVERAL, SEVERAL]
    with session_scope() as session:
        assert [clip.annotated for clip in clips_at(session, dataset_id, 1)] == before
        undo_edit(session, ada, dataset_id, edit.id)
    assert annotated(dataset_id) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (Change(captions=["x" * 4_001]), "captions"),
        (Change(captions=["x", " "]), "captions"),
        (Change(labels=["run", "run"]), "labels"),
        (Change(conversations=[Conversation(())]), "conversations"),
        (Change(conversations=[Conversation((Turn("Q?", "c", ("a", "b")),))]), "conversations"),
        (Change(caption="x", captions=["y"]), "caption"),
        (Change(label="x", labels=["y"]), "label"),
        (Change(start_s=2.0, end_s=1.0), "end_s"),
        (Change(start_s=0.0, end_s=3.5), "end_s"),
        (Change(end_s=float("inf")), "end_s"),
    ],
)
def test_one_wrong_value_changes_nothing(ada: Actor, change: Change, field: str) -> None:
    dataset_id, ids = make(ada, [{"caption": "One.", "film_s": 3.0}, {"caption": "Two."}], Task.CAPTIONING)
    before = annotated(dataset_id)
    with pytest.raises(Invalid) as refused, session_scope() as session:
        edit_clips(session, ada, dataset_id, ids, change)
    assert refused.value.field == field
    assert annotated(dataset_id) == before


def test_the_short_caption_changes_only_the_text_that_a_list_shows(ada: Actor) -> None:
    dataset_id, ids = captioned(ada)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(captions=["One.", "More."]))
        edit_clips(session, ada, dataset_id, ids[1:], Change(conversations=[TALK]))
        edit_clips(session, ada, dataset_id, ids, Change(caption="New."))
    first = Turn("What is it?", "New.")
    assert annotated(dataset_id) == [
        Annotations((), ("New.", "More.")),
        Annotations((), (), (Conversation((first, *TALK.turns[1:]), "Be short."),)),
    ]


def test_a_span_is_a_part_of_its_film_and_can_be_undone(ada: Actor) -> None:
    dataset_id, ids = make(ada, [{"caption": "One.", "film_s": 3.0}, {"caption": "Two."}], Task.CAPTIONING)
    with session_scope() as session:
        edit = edit_clips(session, ada, dataset_id, ids[:1], Change(start_s=0.5, end_s=2.0))
        clip = session.get_one(Clip, ids[0])
        assert (clip.span, clip.duration_s, clip.frames) == (Span(0.5, 2.0), 1.5, 15)
        (first, _) = clips_at(session, dataset_id, 1)
        assert (first.span, first.duration_s, first.frames) == (None, 3.0, 30)
        assert edit
        session.expire_all()
        undo_edit(session, ada, dataset_id, edit.id)
        assert (clip.span, clip.duration_s, clip.frames) == (None, 3.0, 30)


def test_bulk_edits_reach_every_text(ada: Actor) -> None:
    dataset_id, ids = captioned(ada)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids, Change(captions=SEVERAL.captions, conversations=[TALK]))
        assert replace_in_texts(session, ada, dataset_id, ids, "red", "green")
        assert replace_in_texts(session, ada, dataset_id, ids, "short", "brief")
        with pytest.raises(Invalid, match=r"An answer has 1 to 4,000 characters"):
            replace_in_texts(session, ada, dataset_id, ids, "A cat.\nIt sits.", "")
    talk = annotated(dataset_id)[0].conversations[0]
    assert talk.system == "Be brief."
    assert talk.turns[1] == Turn("Which one?", "green", ("green", "blue"))
    assert annotated(dataset_id)[0].captions == ("A cat.", "A green cat.")
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids, Change(captions=["GrÃ¼n", "b"]))
        assert repair_text(session, ada, dataset_id, ids)
    assert annotated(dataset_id)[1].captions == ("Grün", "b")


def test_labels_are_added_and_removed(ada: Actor) -> None:
    dataset_id, ids = make(ada, [{"label": name} for name in ("left", "left", "left", "right", "right")])
    with session_scope() as session:
        assert add_label(session, ada, dataset_id, ids[:1], "up")
        clip = session.get_one(Clip, ids[0])
        assert (clip.annotated.labels, clip.status, clip.problem_kind) == (("left", "up"), ClipStatus.OK, None)
        assert session.get_one(Dataset, dataset_id).class_names == ["left", "right", "up"]
        assert [row.id for row in list_clips(session, ada, dataset_id, label="up").items] == ids[:1]
        assert [row.id for row in list_clips(session, ada, dataset_id, label="left").items] == ids[:3]
        assert remove_label(session, ada, dataset_id, ids, "left")
        assert (clip.annotated.labels, clip.status, clip.problem) == (("up",), ClipStatus.OK, "")
        assert session.get_one(Clip, ids[1]).problem_kind is ClipProblem.NOT_ANNOTATED
        assert session.get_one(Dataset, dataset_id).class_names == ["right", "up"]


IN_FIRST, NOWHERE = ("RED cat", "it sits", "cat.\nit", "short", "blue"), ("captions", "turns", "%", "[", '"')


def test_search_and_counts_know_every_text(ada: Actor) -> None:
    dataset_id, ids = captioned(ada)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(captions=SEVERAL.captions, conversations=[TALK]))
        found = {
            q: [row.id for row in list_clips(session, ada, dataset_id, q=q).items]
            for q in (*IN_FIRST, "what?", "Two", *NOWHERE)
        }
        assert found == {
            **dict.fromkeys(IN_FIRST, ids[:1]),
            "what?": ids[1:],
            "Two": ids[1:],
            **{q: [] for q in NOWHERE},
        }
        statistics = clip_statistics(session, ada, dataset_id)
    assert statistics.captions
    assert (statistics.captions.shortest, statistics.captions.longest) == (1, 4)


def test_the_spans_of_a_film_stay_on_one_side(ada: Actor) -> None:
    spans = [
        {"label": label, "content_hash": f"{film:064}", "start_s": part, "end_s": part + 1}
        for film in range(6)
        for part, label in enumerate(("run", "jump"))
    ]
    dataset_id, ids = make(ada, spans)
    with session_scope() as session:
        assign_splits(session, ada, dataset_id, 0.3)
        by_film: dict[str, set[Split]] = {}
        for clip_id in ids:
            clip = session.get_one(Clip, clip_id)
            by_film.setdefault(clip.content_hash, set()).add(clip.split)
    assert {len(splits) for splits in by_film.values()} == {1}
    assert {split for splits in by_film.values() for split in splits} == {Split.TRAIN, Split.VALIDATION}


def former(session, dataset_id: int, clip_id: int, fields: dict[str, list[str]]) -> int:
    """An edit as versions before the column of annotations recorded it, of version 2."""
    edit = DatasetEdit(dataset_id=dataset_id, version=2, what="x", changes={str(clip_id): fields})
    session.add(edit)
    session.get_one(Dataset, dataset_id).version = 2
    session.flush()
    return edit.id or 0


@pytest.mark.parametrize(
    ("now", "fields", "before"),
    [
        # Two lines were two captions: the migration made a list of them.
        (Annotations((), ("a", "b")), {"caption": ["x", "a\nb"]}, Annotations((), ("x",))),
        (Annotations((), ("x",)), {"caption": ["a\nb", "x"]}, Annotations((), ("a\nb",))),
        (Annotations(("s",), ("a", "b")), {"label": ["r", "s"]}, Annotations(("r",), ("a", "b"))),
        (Annotations(("s",), ("a",)), {"label": ["r", "s"]}, Annotations(("r",), ("a",))),
    ],
)
def test_a_former_edit_is_reverted_in_what_it_changed(
    ada: Actor, now: Annotations, fields: dict[str, list[str]], before: Annotations
) -> None:
    dataset_id, ids = make(ada, [{"caption": "One."}, {"caption": "Two."}], Task.CAPTIONING)
    with session_scope() as session:
        session.get_one(Clip, ids[0]).annotate(now)
        edit_id = former(session, dataset_id, ids[0], fields)
    with session_scope() as session:
        assert clips_at(session, dataset_id, 1)[0].annotated == before
    with session_scope() as session:
        undo_edit(session, ada, dataset_id, edit_id)
    assert annotated(dataset_id)[0] == before


def test_a_former_edit_whose_texts_were_changed_since_is_not_undone(ada: Actor) -> None:
    dataset_id, ids = captioned(ada)
    with session_scope() as session:
        edit_id = former(session, dataset_id, ids[0], {"caption": ["x", "One."]})
        edit_clips(session, ada, dataset_id, ids[:1], Change(captions=["One.", "and more"]))
        undo_edit(session, ada, dataset_id, edit_id)
    assert annotated(dataset_id)[0].captions == ("One.", "and more")


def test_a_damaged_clip_is_not_used_by_annotating_it(ada: Actor) -> None:
    bad = {"caption": "x", "status": ClipStatus.BAD, "problem": "Cut off.", "problem_kind": ClipProblem.DAMAGED}
    dataset_id, ids = make(ada, [{"caption": "One."}, bad], Task.CAPTIONING)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids, Change(captions=["a", "b"]))
        clip = session.get_one(Clip, ids[1])
        assert (clip.status, clip.problem) == (ClipStatus.BAD, "Cut off.")
        with pytest.raises(Conflict):
            edit_clips(session, ada, dataset_id, ids, Change(status="ok"))


WRITERS = {"orchestrator/domain/datasets.py", "orchestrator/services/datasets/curation/history.py"}


def test_only_annotate_and_the_history_write_the_annotation_columns() -> None:
    """The four columns belong together: a single one that is set makes a clip that contradicts itself."""
    columns = {"label", "caption", "prompt", "annotations"}
    found = []
    folders = ("orchestrator/services/", "orchestrator/api/", "orchestrator/domain/", "jobs/")
    for name, tree in trees().items():
        for node in ast.walk(tree) if name.startswith(folders) else ():
            if not isinstance(node, ast.Assign):
                continue
            parts = [part for t in node.targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
            for part in parts:
                if isinstance(part, ast.Attribute) and part.attr in columns and "clip" in ast.unparse(part.value):
                    found.append(f"{name}:{node.lineno}")
    assert not [place for place in found if place.partition(":")[0] not in WRITERS]
    assert found, "history.py sets clip.annotations"
