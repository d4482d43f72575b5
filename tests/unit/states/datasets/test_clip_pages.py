"""A large dataset on its page: every clip can be reached, and one action changes all that match."""

import asyncio
from typing import Any

from sqlmodel import func, select

from orchestrator.domain.datasets import Clip, Dataset, DatasetEdit, DatasetStatus, Split
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.states.datasets.clips import DatasetClipsState
from orchestrator.states.datasets.detail import ALL_CLASSES, DatasetDetailState
from orchestrator.states.datasets.doctor import DatasetDoctorState
from orchestrator.states.datasets.frame_preview import FramePreviewState
from orchestrator.states.datasets.reading import DatasetReadingState
from orchestrator.states.datasets.versions import DatasetVersionsState
from tests.api_client import sign_in
from tests.tabs import go, state_in, tab

EACH = 130


def press(state: Any, name: str, *given: object) -> None:
    asyncio.run(state.event_handlers[name].fn(state, *given))


def validation_clips() -> dict[str, int]:
    with session_scope() as session:
        counted = select(Clip.label, func.count()).where(Clip.split == Split.VALIDATION).group_by(Clip.label)
        return dict(session.exec(counted).all())


def test_pages_and_all_that_match(redis_server: object) -> None:
    forget_clients()
    client = sign_in("ada")
    with session_scope() as session:
        owner_id = int(client.get("/api/v1/me").json()["id"])
        dataset = Dataset(owner_id=owner_id, name="many", status=DatasetStatus.READY, clip_count=2 * EACH)
        session.add(dataset)
        session.flush()
        dataset_id = dataset.id or 0
        names = [(label, f"{label}-{i}.mp4") for label in ("left", "right") for i in range(EACH)]
        session.add_all(Clip(dataset_id=dataset_id, name=name, path="x", label=label) for label, name in names)
    root = tab(client.cookies[COOKIE_NAME], f"/datasets/{dataset_id}")
    page, chosen = state_in(root, DatasetDetailState), state_in(root, DatasetClipsState)
    press(page, "load")
    assert (page.shown_text, page.more, page.has_next) == ("24 of 260", True, False)
    for _ in range(4):
        press(page, "show_more")
    assert (page.shown_text, page.more, page.has_next) == ("192 of 260", False, True)
    press(page, "page_on")
    assert (page.shown_text, page.tiles[0].name, page.more) == ("193 to 216 of 260", "right-62.mp4", True)
    press(page, "page_back")
    assert (page.shown_text, page.tiles[0].name) == ("192 of 260", "left-0.mp4")
    press(page, "page_on")

    press(page, "filter_label", "right")
    assert (page.shown_text, page.start) == ("24 of 130", 0)
    press(chosen, "choose", page.tiles[0].id, True)
    press(chosen, "choose_matching")
    assert chosen.chosen_text.startswith("130")
    press(page, "filter_label", ALL_CLASSES)  # the chosen clips stay chosen
    press(chosen, "split_chosen", "validation")
    assert validation_clips() == {"right": EACH}
    assert (chosen.all_count, chosen.chosen) == (0, [])
    press(chosen, "choose", page.tiles[0].id, True)
    press(chosen, "choose_matching")
    press(chosen, "choose", page.tiles[1].id, False)
    assert chosen.all_count == 0

    _choose_more_than_is_shown(page, chosen)
    left = page.tiles[0].id
    for count in (1, 2):
        press(chosen, "rewrite", left, " ")
        assert (chosen.refusal.clip_id, chosen.refusal.count) == (left, count)
        assert chosen.refusal.sentence == "A label has 1 to 200 characters."
    press(chosen, "rewrite", left, " right ")
    assert (chosen.refusal.clip_id, chosen.refusal.sentence) == (0, "")
    press(page, "load")
    assert next(tile.label for tile in page.tiles if tile.id == left) == "right"
    _edit_what_another_tab_changed(page, chosen, left)
    _open_another_dataset(root, client.cookies[COOKIE_NAME], owner_id)


def _choose_more_than_is_shown(page: Any, chosen: Any) -> None:
    """Clips of several pages can be chosen; a bulk change applies to the clips that matched then, or to none."""
    press(chosen, "choose_none")
    press(page, "filter_label", ALL_CLASSES)
    for _ in range(4):
        press(page, "show_more")
    press(chosen, "choose_shown")
    press(page, "page_on")
    press(chosen, "choose_shown")
    assert len(set(chosen.chosen)) == 216
    press(chosen, "choose", page.tiles[0].id, False)
    assert len(chosen.chosen) == 215

    press(page, "filter_split", "auto")
    press(chosen, "choose_matching")
    assert chosen.all_filters_key == page.filters_key
    press(chosen, "choose", page.tiles[1].id, False)
    assert page.tiles[1].id not in chosen.chosen
    assert len(chosen.chosen) == len(page.tiles) - 1
    press(chosen, "choose_matching")
    with session_scope() as session:
        session.get_one(Clip, page.tiles[0].id).split = Split.TRAIN
    press(chosen, "split_chosen", "validation")
    assert chosen.bulk_problem.startswith("Other clips match now")
    assert validation_clips() == {"right": EACH}, "nothing was changed"
    press(page, "filter_split", "any")

    press(page, "show_finding", "one-sided")  # this finding does not exist any more
    page.finding = "one-sided"
    press(chosen, "choose_matching")
    assert chosen.all_count != page.matching, "a finding that does not exist any more must not match all clips"
    press(chosen, "choose_none")
    press(page, "show_finding", "")


def _edit_what_another_tab_changed(page: Any, chosen: Any, clip_id: int) -> None:
    """Saving one field in the dialog does not restore another that was changed since it was opened."""
    press(chosen, "open_clip", clip_id)
    with session_scope() as session:
        session.get_one(Clip, clip_id).label = "left"
    press(chosen, "choose_split", "train")
    press(chosen, "save")
    press(chosen, "open_clip", clip_id)
    assert (chosen.label, chosen.split) == ("left", "train")
    press(chosen, "type_label", "right")
    press(chosen, "leave_out")
    assert chosen.problems == {}
    press(chosen, "open_clip", clip_id)
    assert (chosen.label, chosen.clip.quarantined) == ("right", True), "what was typed is saved with it"


def _open_another_dataset(root: Any, token: str, owner_id: int) -> None:
    """What was chosen, opened or found in one dataset is cleared when another one is opened."""
    page, chosen, doctor = (
        state_in(root, kind) for kind in (DatasetDetailState, DatasetClipsState, DatasetDoctorState)
    )
    versions = state_in(root, DatasetVersionsState)
    press(doctor, "load", page._id())
    press(chosen, "choose", page.tiles[0].id, True)
    press(chosen, "choose_matching")
    press(versions, "load", page._id())
    last = versions.edits[0]
    with session_scope() as session:
        other = Dataset(owner_id=owner_id, name="other", status=DatasetStatus.READY, clip_count=2)
        session.add(other)
        session.flush()
        session.add_all(Clip(dataset_id=other.id or 0, name=name, path="x", label=name) for name in ("any", "b"))
        go(root, token, f"/datasets/{other.id}")
    reading, preview = state_in(root, DatasetReadingState), state_in(root, FramePreviewState)
    press(reading, "open")
    press(preview, "start")
    press(page, "load")
    assert page.labels[0]["value"] == ALL_CLASSES
    press(page, "filter_label", "any")  # a class may be called so
    assert (page.label, page.row_count) == ("any", 1)
    assert (chosen.chosen, chosen.all_count, chosen.opened, doctor.dataset_key, versions.edits) == ([], 0, False, 0, [])
    assert (reading.opened, preview.clip_id) == (False, 0)
    with session_scope() as session:
        session.exec(select(Dataset).where(Dataset.name == "other")).one().name = "renamed elsewhere"
    press(page, "fetch_again")  # is refused, and shows how it stands
    assert page.title == "renamed elsewhere"
    press(versions, "undo", last.id)  # the toast of that edit is still there
    with session_scope() as session:
        assert session.get_one(DatasetEdit, last.id).undone
