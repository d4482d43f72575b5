"""Drafts of the job form: one for each opening, several kept, none overwritten by another tab, old ones dropped."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import func, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.training_jobs import WizardDraft
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.drafts import (
    KEPT,
    MAX_DRAFTS,
    DraftChanged,
    Edit,
    clear_draft,
    discard_draft,
    list_drafts,
    open_draft,
    save_draft,
)
from orchestrator.services.training.rows import Draft
from tests.studio import launch, make_person, make_things


def opened(actor: Actor, draft_id: int = 0) -> Draft:
    with session_scope() as session:
        return open_draft(session, actor, draft_id)


def saved(actor: Actor, edit: Edit, **values: Any) -> Draft:
    with session_scope() as session:
        return save_draft(session, actor, values, edit)


def count() -> int:
    with session_scope() as session:
        return session.exec(select(func.count()).select_from(WizardDraft)).one()


def test_opening_stores_nothing_and_each_opening_has_its_own_key(ada: Actor) -> None:
    assert opened(ada).launch_key != opened(ada).launch_key
    assert count() == 0


def test_a_draft_keeps_its_values_and_its_key_until_it_is_cleared(ada: Actor) -> None:
    key = opened(ada).launch_key
    draft = saved(ada, Edit(key, "a", 1), step=1)
    assert saved(ada, Edit(key, "a", 2), step=3).id == draft.id
    again = opened(ada, draft.id)
    assert (again.values, again.launch_key, again.stored_edit) == ({"step": 3}, key, ("a", 2))
    with session_scope() as session:
        clear_draft(session, ada, key)
    with pytest.raises(NotFound, match="launched or discarded"):
        opened(ada, draft.id)


def test_a_new_id_is_never_one_that_an_old_address_names(ada: Actor) -> None:
    first = saved(ada, Edit("one", "a", 1)).id
    with session_scope() as session:
        discard_draft(session, ada, first)
    assert saved(ada, Edit("two", "a", 1)).id > first


def test_an_older_change_of_the_same_tab_does_not_replace_a_newer_one(ada: Actor) -> None:
    saved(ada, Edit("key", "a", 5), step=5)
    assert saved(ada, Edit("key", "a", 4), step=4).values == {"step": 5}


def test_two_tabs_on_one_draft_never_overwrite_each_other(ada: Actor) -> None:
    draft = saved(ada, Edit("key", "a", 1), step=1)
    b = opened(ada, draft.id)
    saved(ada, Edit("key", "b", 1, b.stored_edit), step=2)
    with pytest.raises(DraftChanged, match=r"changed in another tab"):
        saved(ada, Edit("key", "a", 2), step=3)
    assert opened(ada, draft.id).values == {"step": 2}
    saved(ada, Edit("key", "b", 2, b.stored_edit), step=4)
    assert opened(ada, draft.id).values == {"step": 4}


def test_of_many_tabs_that_began_with_the_same_change_one_stores_its_own(ada: Actor) -> None:
    draft = saved(ada, Edit("key", "a", 1), step=0)
    seen = opened(ada, draft.id).stored_edit

    def change(number: int) -> int:
        try:
            return saved(ada, Edit("key", f"tab{number}", 1, seen), step=number).values["step"]
        except DraftChanged:
            return 0

    with ThreadPoolExecutor(8) as pool:
        stored = [step for step in pool.map(change, range(1, 9)) if step]
    assert stored == [opened(ada, draft.id).values["step"]]


def test_the_first_two_changes_of_a_tab_make_one_draft(ada: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = {draft.id for draft in pool.map(lambda number: saved(ada, Edit("key", "a", number)), range(1, 5))}
    assert (len(ids), count()) == (1, 1)


def test_a_change_after_the_launch_or_the_discard_brings_the_draft_not_back(ada: Actor) -> None:
    launch(ada, make_things(ada), "launched")
    with pytest.raises(DraftChanged):
        saved(ada, Edit("launched", "a", 1))
    draft = saved(ada, Edit("key", "a", 1))
    with session_scope() as session:
        discard_draft(session, ada, draft.id)
    with pytest.raises(DraftChanged):
        saved(ada, Edit("key", "b", 1, draft.stored_edit))
    assert count() == 0


def test_the_list_names_what_was_chosen_unless_it_was_deleted(ada: Actor) -> None:
    dataset, model = make_things(ada)
    saved(ada, Edit("empty", "a", 1))
    saved(ada, Edit("full", "a", 1), dataset_id=dataset, model_id=model, values={"output_name": "run"}, step=3)
    with session_scope() as session:
        full, empty = list_drafts(session, ada)
        assert (full.name, full.dataset_name, full.model_name, full.step) == ("run", "Motions", "Tiny VideoMAE", 3)
        assert (empty.name, empty.dataset_name, empty.model_name) == ("", "", "")
        session.delete(session.get_one(Dataset, dataset))
    with session_scope() as session:
        assert list_drafts(session, ada)[0].dataset_name == ""


def test_drafts_of_others_are_neither_listed_nor_opened_nor_discarded(ada: Actor) -> None:
    eve = make_person("eve")
    draft = saved(ada, Edit("key", "a", 1))
    with session_scope() as session:
        assert list_drafts(session, eve) == []
        discard_draft(session, eve, draft.id)
    with pytest.raises(NotFound):
        opened(eve, draft.id)
    assert opened(ada, draft.id).id == draft.id


def test_old_drafts_are_deleted_and_the_newest_stay(ada: Actor) -> None:
    ids = [saved(ada, Edit(f"key{number}", "a", 1)).id for number in range(MAX_DRAFTS + 2)]
    with session_scope() as session:
        assert [row.id for row in list_drafts(session, ada)] == ids[:1:-1]
        session.get_one(WizardDraft, ids[5]).updated_at = utcnow() - KEPT - timedelta(hours=1)
    with session_scope() as session:
        assert ids[5] not in [row.id for row in list_drafts(session, ada)]
    with pytest.raises(NotFound):
        opened(ada, ids[5])
    saved(ada, Edit("new", "a", 1))
    with session_scope() as session:
        assert session.get(WizardDraft, ids[5]) is None


def test_a_draft_has_a_bound(ada: Actor) -> None:
    with pytest.raises(Invalid, match="too large"):
        saved(ada, Edit("key", "a", 1), values="x" * 30_000)
