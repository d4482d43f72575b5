"""The dialog of a clip writes further captions, turns and spans, goes to the next clip, and saves what was typed."""

import asyncio
from typing import Any

import pytest
from sqlmodel import select, update

from orchestrator.domain.annotations import Annotations, Conversation, Span, Turn
from orchestrator.domain.datasets import Clip, Dataset, DatasetEdit, DatasetStatus
from orchestrator.domain.errors import Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.datasets.curation.edits import Change, edit_clips, undo_edit
from orchestrator.services.db import session_scope
from orchestrator.states.datasets.annotation_editor import TurnFields, turn_fields, typed_conversations
from orchestrator.states.datasets.clips import DatasetClipsState
from orchestrator.states.datasets.detail import DatasetDetailState
from tests.api_client import sign_in
from tests.tabs import state_in, tab

TALKS = (
    Conversation((Turn("What?", "It."), Turn("And?", "B", ("A", "B"))), "Be short."),
    Conversation((Turn("Who?", "She."),)),
)
TWO_LINES = Conversation((Turn("Which?", "one\nor two", ("one\nor two", "three")),))
"""Its options cannot be typed as they are: a field has one a line."""


def press(state: Any, name: str, *given: object) -> None:
    asyncio.run(state.event_handlers[name].fn(state, *given))


def test_turns_are_typed_as_they_are_shown() -> None:
    assert typed_conversations(turn_fields(TALKS)) == list(TALKS)


def test_empty_turns_are_none() -> None:
    typed = [TurnFields("", " "), TurnFields("What?", "It.", begins=False)]
    assert typed_conversations(typed) == [Conversation((Turn("What?", "It."),))]


@pytest.fixture
def dialog(redis_server: object) -> Any:
    """The dialog of a dataset of captions with two clips: one with everything, one span of a film."""
    forget_clients()
    client = sign_in("ada")
    with session_scope() as session:
        owner_id = int(client.get("/api/v1/me").json()["id"])
        facts = {"status": DatasetStatus.READY, "task": Task.CAPTIONING, "clip_count": 2}
        dataset = Dataset(owner_id=owner_id, name="many", **facts)
        session.add(dataset)
        session.flush()
        rich = Clip(dataset_id=dataset.id or 0, name="0.mp4", path="x")
        rich.annotate(Annotations((), ("one", "two\nlines"), TALKS))
        part = Clip(
            dataset_id=dataset.id or 0, name="1.mp4", path="y", caption="a", film_s=10.0, start_s=1.5, end_s=4.0
        )
        session.add_all([rich, part])
        dataset_id = dataset.id
    root = tab(client.cookies[COOKIE_NAME], f"/datasets/{dataset_id}")
    page, chosen = state_in(root, DatasetDetailState), state_in(root, DatasetClipsState)
    press(page, "load")
    return chosen, [tile.id for tile in page.tiles]


def annotations_of(clip_id: int) -> Annotations:
    with session_scope() as session:
        return session.get_one(Clip, clip_id).annotated


def test_all_that_is_written_about_a_clip_can_be_changed(dialog: Any) -> None:
    chosen, (rich, _) = dialog
    press(chosen, "open_clip", rich)
    assert (chosen.caption, chosen.further_captions, len(chosen.turns)) == ("one", ["two\nlines"], 3)
    press(chosen, "type_further_caption", 0, "two")
    press(chosen, "add_caption")
    press(chosen, "type_turn", 1, "answer", "A")
    press(chosen, "remove_turn", 0)
    press(chosen, "add_question")
    press(chosen, "type_turn", 2, "question", "Where?")
    press(chosen, "type_turn", 2, "answer", "Here.")
    press(chosen, "save")
    assert chosen.problems == {}
    assert annotations_of(rich) == Annotations(
        (),
        ("one", "two"),
        (
            Conversation((Turn("And?", "A", ("A", "B")),), "Be short."),
            TALKS[1],
            Conversation((Turn("Where?", "Here."),)),
        ),
    )


def test_nothing_typed_changes_nothing(dialog: Any) -> None:
    chosen, (rich, _) = dialog
    before = annotations_of(rich)
    press(chosen, "open_clip", rich)
    press(chosen, "save")
    assert annotations_of(rich) == before


def test_going_on_saves_and_a_refusal_stays(dialog: Any) -> None:
    chosen, (rich, part) = dialog
    press(chosen, "open_clip", rich)
    assert (chosen.previous_id, chosen.next_id) == (0, part)
    press(chosen, "type_turn", 2, "answer", "")
    press(chosen, "go_to", part)
    assert (chosen.clip.id, list(chosen.problems)) == (rich, ["conversations"])
    press(chosen, "type_turn", 2, "answer", "He.")
    press(chosen, "go_to", part)
    assert (chosen.clip.id, chosen.opened, annotations_of(rich).conversations[1].turns[0].answer) == (part, True, "He.")


def test_the_times_of_a_span_are_checked(dialog: Any) -> None:
    chosen, (_, part) = dialog
    press(chosen, "open_clip", part)
    assert (chosen.start, chosen.end, chosen.span_left, chosen.span_width) == ("1.5", "4", 15.0, 25.0)
    press(chosen, "type_end", "soon")
    press(chosen, "save")
    assert chosen.problems == {"end_s": "Enter seconds, such as 12.5."}
    press(chosen, "type_end", "1")
    press(chosen, "save")
    assert list(chosen.problems) == ["end_s"]
    press(chosen, "type_end", "2,5")
    press(chosen, "save")
    with session_scope() as session:
        assert session.get_one(Clip, part).end_s == 2.5


def test_a_span_becomes_the_full_film_and_back(dialog: Any) -> None:
    chosen, (_, part) = dialog
    press(chosen, "open_clip", part)
    press(chosen, "use_full_film")
    assert (chosen.start, chosen.end, chosen.span_width, chosen.whole_film) == ("0", "10", 100.0, True)
    press(chosen, "type_start", "2")
    assert not chosen.whole_film
    press(chosen, "use_full_film")
    press(chosen, "save")
    with session_scope() as session:
        clip = session.get_one(Clip, part)
        assert (clip.span, clip.duration_s, chosen.problems) == (None, 10.0, {})
        edit = session.exec(select(DatasetEdit).where(DatasetEdit.dataset_id == clip.dataset_id)).one()
        assert edit.what == "1 clip: the whole film"
        owner = Actor(session.get_one(Dataset, clip.dataset_id).owner_id, "ada", "", Role.MEMBER)
        undo_edit(session, owner, clip.dataset_id, edit.id or 0)
        assert clip.span == Span(1.5, 4.0)
        with pytest.raises(Invalid, match="not both"):
            edit_clips(session, owner, clip.dataset_id, [part], Change(start_s=1.0, whole_film=True))


def test_what_a_field_cannot_show_stays(dialog: Any) -> None:
    chosen, (rich, _) = dialog
    with session_scope() as session:
        session.get_one(Clip, rich).annotate(before := Annotations((), ("one",), (TWO_LINES,)))
    press(chosen, "open_clip", rich)
    press(chosen, "choose_split", "train")
    press(chosen, "save")
    assert (chosen.problems, annotations_of(rich)) == ({}, before)


def test_the_last_of_several_labels_is_replaced(dialog: Any) -> None:
    chosen, (rich, _) = dialog
    with session_scope() as session:
        session.exec(update(Dataset).values(task=Task.CLASSIFICATION))
        session.get_one(Clip, rich).annotate(Annotations(("run", "jump")))
    press(state_in(chosen._get_root_state(), DatasetDetailState), "load")
    press(chosen, "open_clip", rich)
    assert (chosen.label, chosen.several_labels) == ("", ["run", "jump"])
    press(chosen, "remove_label", "run")
    press(chosen, "remove_label", "jump")
    press(chosen, "type_new_label", "sit")
    press(chosen, "save")
    assert (chosen.problems, annotations_of(rich).labels) == ({}, ("sit",))


@pytest.fixture
def labelled(dialog: Any) -> Any:
    """The dataset as one of classes: a clip with one label, and one with several."""
    chosen, clips = dialog
    with session_scope() as session:
        session.exec(update(Dataset).values(task=Task.CLASSIFICATION))
        for clip, labels in zip(clips, (("run",), ("jump", "sit")), strict=True):
            session.get_one(Clip, clip).annotate(Annotations(labels))
    press(state_in(chosen._get_root_state(), DatasetDetailState), "load")
    return chosen, clips


def test_a_second_label_is_added_by_hand(labelled: Any) -> None:
    chosen, (one, other) = labelled
    press(chosen, "open_clip", one)
    assert (chosen.label, chosen.lists_labels) == ("run", False)
    press(chosen, "list_labels")
    press(chosen, "type_new_label", " jump ")
    press(chosen, "add_label")
    assert (chosen.several_labels, chosen.new_label) == (["run", "jump"], "")
    press(chosen, "type_new_label", "sit")  # not added, but typed
    press(chosen, "go_to", other)
    assert annotations_of(one).labels == ("run", "jump", "sit")
    assert (chosen.clip.id, chosen.several_labels) == (other, ["jump", "sit"])
    press(chosen, "save")
    assert annotations_of(other).labels == ("jump", "sit")
    tiles = {tile.id: tile for tile in state_in(chosen._get_root_state(), DatasetDetailState).tiles}
    assert tiles[other].has_several_labels


def test_a_label_of_many_clips_is_added_and_removed(labelled: Any) -> None:
    chosen, clips = labelled

    def label(event: str, text: str) -> list[tuple[str, ...]]:
        for clip in clips:
            press(chosen, "choose", clip, True)
        press(chosen, "type_bulk_label", text)
        press(chosen, event)
        assert (chosen.bulk_problem, chosen.chosen) == ("", [])
        return [annotations_of(clip).labels for clip in clips]

    assert label("add_label_to_chosen", "sit") == [("run", "sit"), ("jump", "sit")]
    assert label("remove_label_from_chosen", " sit ") == [("run",), ("jump",)]
    press(chosen, "choose", clips[0], True)
    press(chosen, "add_label_to_chosen")
    assert chosen.bulk_problem == "A label has 1 to 200 characters."
