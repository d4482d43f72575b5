"""Labelled values: a row of figures below a page's title, and lines of label and value in a card."""

from typing import Any

import reflex as rx

from orchestrator.states.shared.presentation import Fact
from orchestrator.ui.kit import Text


def figure(fact: rx.Var[Fact]) -> rx.Component:
    """A caption over its value."""
    return rx.el.div(
        rx.el.dt(fact.caption, class_name="text-xs text-muted-foreground"),
        rx.el.dd(fact.value, class_name="mt-1 text-sm font-semibold tabular"),
        class_name="border-l border-border py-1 pl-5 pr-6 first:border-l-0 first:pl-0 touch:border-l-0 touch:pl-0",
    )


def figures(facts: rx.Var[list[Fact]]) -> rx.Component:
    """The row of figures below the title."""
    return rx.el.dl(rx.foreach(facts, figure), class_name="flex flex-wrap gap-y-3")


def definition(term: Text, *value: Any, size: str = "text-sm", look: str = "") -> rx.Component:
    """A label on the left and its value on the right, inside an `rx.el.dl`.

    Args:
        size: the size of the text, and spacing or rules between the lines.
        look: of the value, such as "truncate" or "break-words".
    """
    return rx.el.div(
        rx.el.dt(term, class_name="shrink-0 text-muted-foreground"),
        rx.el.dd(*value, class_name=f"min-w-0 text-right {look}".strip()),
        class_name=f"flex items-baseline justify-between gap-4 {size}",
    )


def fact_line(fact: rx.Var[Fact]) -> rx.Component:
    """A fact as a line; its tooltip has what does not fit."""
    return definition(
        fact.caption,
        rx.el.span(fact.value, title=fact.title, class_name="tabular"),
        size="py-1 text-sm",
        look="truncate",
    )
