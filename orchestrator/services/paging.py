"""Keyset pagination: a page stays correct while rows are added and deleted."""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, and_, func, or_, select
from sqlalchemy.types import NullType
from sqlmodel import Session

from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import LARGEST_ID, LARGEST_SIZE
from orchestrator.domain.plain_text import is_storable

T = TypeVar("T")
MAX_LIMIT = 200
_MAX_CURSOR = 4_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        next: the cursor of the next page; None on the last one.
        total: how many items all pages have together.
    """

    items: list[T]
    next: str | None
    total: int


def _encode(origin: str, value: Any, row_id: int) -> str:
    plain = {"t": value.isoformat()} if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([origin, plain, row_id]).encode()).decode().rstrip("=")


def _decode(cursor: str, origin: str, key: Any) -> tuple[Any, int]:
    """(value, row id) of a cursor that this list made.

    Args:
        origin: the list and its order, as `_origin` writes them.
        key: the column or expression that the list is sorted by.
    """
    try:
        if len(cursor) > _MAX_CURSOR:
            raise ValueError
        made_for, value, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(value, dict):
            value = datetime.fromisoformat(value["t"]).astimezone(UTC)
        is_id = type(row_id) is int and 0 < row_id <= LARGEST_ID
        if made_for != origin or not is_id or not _fits(value, key):
            raise ValueError
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, binascii.Error) as error:
        raise Invalid("This page marker does not fit the list; start again from its first page.", "cursor") from error
    return value, row_id


def _origin(entity: Any, sort: str) -> str:
    return f"{entity.__tablename__} {sort}"


def _fits(value: Any, key: Any) -> bool:
    """Whether every database can compare the value with the column or expression."""
    # An expression such as lower(name) has no type of its own: lists are sorted by no other expressions.
    kind = str if isinstance(key.type, NullType) else key.type.python_type
    if issubclass(kind, Enum):
        return value in [member.value for member in kind]
    if type(value) is int:
        largest = LARGEST_SIZE if isinstance(key.type, BigInteger) else LARGEST_ID
        return kind in (int, float) and abs(value) <= largest
    if type(value) is float:
        return kind is float and math.isfinite(value)
    if isinstance(value, str):
        return kind is str and is_storable(value)
    return isinstance(value, datetime) and kind is datetime


def fetch_page(
    session: Session,
    entity: Any,
    where: Sequence[ColumnElement[bool]],
    sorts: dict[str, Any],
    sort: str,
    limit: int,
    cursor: str | None,
) -> Page[Any]:
    """Reads one page of `entity` rows.

    Args:
        where: the conditions that a row must meet, among them the one on its owner.
        sorts: what the list may be sorted by: name to a column or expression that is never null.
        sort: one of those names, with a leading "-" for descending; the id breaks ties.
        cursor: `next` of the page before; None for the first page.

    Raises:
        Invalid: unknown sort, a limit out of range, or a cursor of another list.
    """
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    if name not in sorts:
        raise Invalid(f"Sort by one of {', '.join(sorts)}; put - in front for the other direction.", "sort")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(f"Limit must be a whole number from 1 to {MAX_LIMIT}.", "limit")
    key = sorts[name]
    total = session.scalar(select(func.count()).select_from(entity).where(*where)) or 0
    # Ids first: sorting complete rows, with their JSON, costs several times as much as sorting two columns.
    query = select(entity.id, key).where(*where)
    if cursor:
        value, row_id = _decode(cursor, _origin(entity, sort), key)
        beyond = (key < value, entity.id < row_id) if descending else (key > value, entity.id > row_id)
        query = query.where(or_(beyond[0], and_(key == value, beyond[1])))
    order = (key.desc(), entity.id.desc()) if descending else (key.asc(), entity.id.asc())
    rows = session.exec(query.order_by(*order).limit(limit + 1)).all()  # type: ignore[call-overload]
    more = len(rows) > limit
    rows = rows[:limit]
    marker = _encode(_origin(entity, sort), rows[-1][1], rows[-1][0]) if more else None
    ids = [row[0] for row in rows]
    by_id = {row.id: row for row in session.scalars(select(entity).where(entity.id.in_(ids)))}
    return Page([by_id[row_id] for row_id in ids if row_id in by_id], marker, total)


def contains(column: Any, q: str) -> ColumnElement[bool]:
    """The condition that `q` occurs in the column, ignoring case; `%` and `_` in `q` have no special meaning."""
    literal = q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(column).like(f"%{literal.lower()}%", escape="\\")
