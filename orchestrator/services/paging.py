"""One way to page through a list: keyset cursors, so that a page stays right while rows come and go."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session

from orchestrator.domain.errors import Invalid

T = TypeVar("T")
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: its items, the cursor of the next page (None: the last), and how many there are in all."""

    items: list[T]
    next: str | None
    total: int


def _encode(sort: str, value: Any, row_id: int) -> str:
    plain = {"t": value.isoformat()} if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([sort, plain, row_id]).encode()).decode().rstrip("=")


def _decode(cursor: str, sort: str) -> tuple[Any, int]:
    try:
        made_for, value, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        value = datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value
        if made_for != sort or not isinstance(row_id, int) or not isinstance(value, str | int | float | datetime):
            raise ValueError(cursor)
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise Invalid("This page marker does not fit the list; start again from its first page.", "cursor") from error
    return value, row_id


def fetch_page(
    session: Session,
    entity: Any,
    where: Sequence[ColumnElement[bool]],
    sorts: dict[str, Any],
    sort: str,
    limit: int,
    cursor: str | None,
) -> Page[Any]:
    """One page of `entity` rows.

    Args:
        sorts: what a list may be sorted by: name to column or expression (never null).
        sort: one of those names, with a leading "-" for descending.

    Raises:
        Invalid: unknown sort, a limit out of range, or a cursor that is not of this list.
    """
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    if name not in sorts:
        raise Invalid(f"Sort by one of {', '.join(sorts)}; put - in front for the other direction.", "sort")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(f"Limit must be a whole number from 1 to {MAX_LIMIT}.", "limit")
    key = sorts[name]
    total = session.scalar(select(func.count()).select_from(entity).where(*where)) or 0
    # Ids first: sorting whole rows, with their JSON, costs several times as much as sorting two columns.
    query = select(entity.id, key).where(*where)
    if cursor:
        value, row_id = _decode(cursor, sort)
        beyond = (key < value, entity.id < row_id) if descending else (key > value, entity.id > row_id)
        query = query.where(or_(beyond[0], and_(key == value, beyond[1])))
    order = (key.desc(), entity.id.desc()) if descending else (key.asc(), entity.id.asc())
    rows = session.exec(query.order_by(*order).limit(limit + 1)).all()  # type: ignore[call-overload]
    more = len(rows) > limit
    rows = rows[:limit]
    marker = _encode(sort, rows[-1][1], rows[-1][0]) if more else None
    ids = [row[0] for row in rows]
    found = {one.id: one for one in session.scalars(select(entity).where(entity.id.in_(ids)))}
    return Page([found[one] for one in ids if one in found], marker, total)


def contains(column: Any, q: str) -> ColumnElement[bool]:
    """A case-insensitive search for `q` anywhere in the column, its wildcards taken literally."""
    literal = q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(column).like(f"%{literal.lower()}%", escape="\\")
