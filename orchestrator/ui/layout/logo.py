"""The mark of Loreel: a reel with its film running out to the right."""

import reflex as rx

from orchestrator.ui.kit import classes


def logo_mark(size: int = 24, class_name: str = "") -> rx.Component:
    """The reel alone, in the accent."""
    return rx.el.svg(
        rx.el.circle(cx="11", cy="10.5", r="7.5", fill="none", stroke="currentColor", stroke_width="2.6"),
        rx.el.circle(cx="11", cy="10.5", r="2.1", fill="currentColor"),
        rx.el.path(d="M11 18 H21.5", fill="none", stroke="currentColor", stroke_width="2.6", stroke_linecap="round"),
        view_box="0 0 24 24",
        width=size,
        height=size,
        aria_hidden=True,
        class_name=classes("shrink-0 text-primary", class_name),
    )


def logo(size: int = 24, class_name: str = "") -> rx.Component:
    """The mark and the name."""
    return rx.el.span(
        logo_mark(size),
        rx.el.span("Loreel", class_name="text-base font-semibold tracking-tight text-foreground"),
        class_name=classes("inline-flex items-center gap-2.5", class_name),
    )
