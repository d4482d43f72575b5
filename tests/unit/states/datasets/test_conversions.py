"""The dialog that converts annotations shows what becomes what, asks for the question, and can be undone."""

from typing import Any

import pytest

from orchestrator.domain.annotations import Annotations, Conversation, Turn
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.tasks import Task
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.states.datasets.conversions import DatasetConversionState, annotation_lines
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.versions import DatasetVersionsState
from tests.api_client import sign_in
from tests.tabs import state_in, tab
from tests.unit.states.datasets.test_annotation_editor import annotations_of, press

TEXTS = (("One.", "More."), ("Two.",))


@pytest.fixture
def captioned(redis_server: object) -> Any:
    """The page of a dataset of captions; its third clip has a label only."""
    forget_clients()
    client = sign_in("ada")
    with session_scope() as session:
        owner_id = int(client.get("/api/v1/me").json()["id"])
        facts = {"status": DatasetStatus.READY, "task": Task.CAPTIONING, "clip_count": 3}
        dataset = Dataset(owner_id=owner_id, name="captions", **facts)
        session.add(dataset)
        session.flush()
        rows = [Clip(dataset_id=dataset.id or 0, name=f"clips/{n}.mp4", path=str(n)) for n in range(3)]
        for row, texts in zip(rows, TEXTS, strict=False):
            row.annotate(Annotations((), texts))
        rows[2].annotate(Annotations(("run",)))
        session.add_all(rows)
        session.flush()
        ids, address = [row.id or 0 for row in rows], f"/datasets/{dataset.id}"
    root = tab(client.cookies[COOKIE_NAME], address)
    press(state_in(root, DatasetDetailState), "load")
    return state_in(root, DatasetConversionState), ids


def test_captions_become_answers(captioned: Any) -> None:
    dialog, ids = captioned
    press(dialog, "open_conversions", "", "")
    assert [choice["value"] for choice in dialog.choices] == [
        "labels_to_captions", "captions_to_questions", "first_caption",
    ]  # fmt: skip
    press(dialog, "choose", "captions_to_questions")
    press(dialog, "type_question", "What happens?")
    assert dialog.asks
    assert dialog.counts.startswith("2")
    assert dialog.counts.endswith("clips will be changed; all of them are used for training after it.")
    assert [(row.name, row.before, row.after) for row in dialog.examples] == [
        ("0.mp4", ["One.", "More."], ["What happens? → One.", "What happens? → More."]),
        ("1.mp4", ["Two."], ["What happens? → Two."]),
    ]
    press(dialog, "type_question", " ")
    press(dialog, "convert")
    assert (dialog.problems, dialog.opened) == ({"question": "Enter the question that the captions answer."}, True)
    press(dialog, "type_question", "What happens?")
    press(dialog, "convert")
    assert not dialog.opened
    asked = Annotations((), (), (Conversation((Turn("What happens?", "Two."),)),))
    assert annotations_of(ids[1]) == asked
    versions = state_in(dialog._get_root_state(), DatasetVersionsState)
    with session_scope() as session:
        dataset_id = session.get_one(Clip, ids[0]).dataset_id
    press(versions, "load", dataset_id)
    press(versions, "undo", versions.edits[0].id)
    assert annotations_of(ids[1]) == Annotations((), ("Two.",))


def test_nothing_to_convert_opens_no_dialog(captioned: Any) -> None:
    dialog, ids = captioned
    with session_scope() as session:
        for clip_id in ids:
            session.get_one(Clip, clip_id).annotate(Annotations())
    press(dialog, "open_conversions", "", "")
    assert not dialog.opened


def test_long_annotations_are_shown_in_short() -> None:
    lines = annotation_lines(Annotations(("run", "jump"), tuple(f"caption {n}" for n in range(9))))
    assert lines == ["Labels: run, jump", "caption 0", "caption 1", "caption 2", "and 6 more"]
    assert annotation_lines(Annotations()) == ["nothing"]
    [cut] = annotation_lines(Annotations((), ("word\n" * 100,)))
    assert len(cut) == 160
