"""A long list has pages, and returns to the first one when the order changes or its rows were deleted."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlmodel import col, delete

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.states.datasets.index import DatasetsState
from tests.api_client import sign_in
from tests.tabs import state_in, tab


def press(state: Any, name: str, *given: object) -> None:
    asyncio.run(state.event_handlers[name].fn(state, *given))


def test_every_dataset_can_be_reached(redis_server: object) -> None:
    forget_clients()
    client = sign_in("ada")
    owner_id, now = int(client.get("/api/v1/me").json()["id"]), utcnow()
    with session_scope() as session:
        session.add_all(
            Dataset(
                owner_id=owner_id,
                name=f"set {n}",
                status=DatasetStatus.READY,
                created_at=now + timedelta(seconds=n),
            )
            for n in range(194)
        )
    page = state_in(tab(client.cookies[COOKIE_NAME], "/datasets"), DatasetsState)
    press(page, "load")
    total = page.matching
    assert (page.shown_text, page.rows[0].name) == (f"24 of {total}", "set 193")
    for _ in range(4):
        press(page, "show_more")
    assert (page.shown_text, page.more, page.has_next) == (f"192 of {total}", False, True)
    press(page, "page_on")
    assert page.shown_text == f"193 to {total} of {total}"
    assert [row.name for row in page.rows][:2] == ["set 1", "set 0"]
    assert not page.has_next
    press(page, "page_back")
    assert page.shown_text == f"192 of {total}"
    press(page, "page_on")
    # In another order the old position means nothing, so the list starts at its first page.
    press(page, "sort_by", "name")
    assert (page.start, page.problem, len(page.rows)) == (0, "", 24)
    press(page, "sort_by", "-created_at")
    for _ in range(4):
        press(page, "show_more")
    press(page, "page_on")
    with session_scope() as session:
        session.exec(delete(Dataset).where(col(Dataset.id).in_([row.id for row in page.rows])))
    press(page, "refresh")
    assert (page.start, len(page.rows), page.rows[0].name) == (0, 24, "set 193")
