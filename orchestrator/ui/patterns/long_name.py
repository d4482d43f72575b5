"""A name that is cut in its middle where it does not fit, because names of one series differ at their ends."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import classes

TAIL = 10
"""Letters at the end that always stay."""
SHORT = 24
"""Names up to this many letters are drawn in one piece."""


def long_name(name: Any, class_name: str = "") -> rx.Component:
    """The name (a var of text) on one line, its middle cut; complete on hover and for screen readers."""
    cut = rx.el.span(
        rx.el.span(name, class_name="sr-only"),
        rx.el.span(name[:-TAIL], aria_hidden=True, class_name="overflow-hidden text-ellipsis whitespace-pre"),
        rx.el.span(name[-TAIL:], aria_hidden=True, class_name="shrink-0 whitespace-pre"),
        title=name,
        class_name=classes("flex min-w-0", class_name),
    )
    whole = rx.el.span(name, title=name, class_name=classes("block truncate", class_name))
    return rx.cond(name.length() > SHORT, cut, whole)
