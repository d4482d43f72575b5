"""Conditions on the annotations of clips, for SQLite and PostgreSQL: a label among several, a text in any of them."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, literal, not_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from orchestrator.domain.datasets import Clip


class _HasLabel(FunctionElement[bool]):
    """(column, label): whether the labels of an annotations column have this one."""

    name = "has_label"
    type = Boolean()
    inherit_cache = True


class _HasText(FunctionElement[bool]):
    """(column, pattern): whether a text of an annotations column is LIKE the pattern, which is in lower case."""

    name = "has_text"
    type = Boolean()
    inherit_cache = True


def in_short_form() -> ColumnElement[bool]:
    """The condition that `label`, `caption` and `prompt` say everything, so that the annotations column is empty."""
    return col(Clip.annotations) == literal("")


def with_label(label: str) -> ColumnElement[bool]:
    """The condition that a clip has this label, alone or among several."""
    several = and_(not_(in_short_form()), _HasLabel(col(Clip.annotations), literal(label)))
    return or_(and_(in_short_form(), col(Clip.label) == label), several)


def with_text(q: str) -> ColumnElement[bool]:
    """The condition that `q` occurs in a text of the annotations column, ignoring case; `%` and `_` are themselves."""
    text = q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").lower()
    return and_(not_(in_short_form()), _HasText(col(Clip.annotations), literal(f"%{text}%")))


def _arguments(element: Any, compiler: Any, **options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


@compiles(_HasLabel)
def _has_label_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, label = _arguments(element, compiler, **options)
    labels = f"json_each(CASE {column} WHEN '' THEN '{{}}' ELSE {column} END, '$.labels')"
    return f"EXISTS (SELECT 1 FROM {labels} WHERE json_each.value = {label})"


@compiles(_HasLabel, "postgresql")
def _has_label_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, label = _arguments(element, compiler, **options)
    return f"COALESCE(jsonb_exists(CAST(NULLIF({column}, '') AS jsonb) -> 'labels', {label}), FALSE)"


@compiles(_HasText)
def _has_text_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, pattern = _arguments(element, compiler, **options)
    values = f"json_tree(CASE {column} WHEN '' THEN '{{}}' ELSE {column} END)"
    like = f"lower(json_tree.atom) LIKE {pattern} ESCAPE '\\'"
    return f"EXISTS (SELECT 1 FROM {values} WHERE json_tree.type = 'text' AND {like})"


@compiles(_HasText, "postgresql")
def _has_text_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, pattern = _arguments(element, compiler, **options)
    values = f"jsonb_path_query(CAST(NULLIF({column}, '') AS jsonb), 'strict $.**') AS found"
    like = f"lower(found #>> '{{}}') LIKE {pattern} ESCAPE '\\'"
    return f"EXISTS (SELECT 1 FROM {values} WHERE jsonb_typeof(found) = 'string' AND {like})"
