"""How an upload was read: its layout, its columns, and a few clips to check."""

import reflex as rx

from orchestrator.pages.shared.figures import definition
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.layout_view import Column, Sample
from orchestrator.states.datasets.reading import DatasetReadingState
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon

_LAYOUT = DatasetDetailState.layout


def line(term: str | rx.Var[str], value: rx.Var[str]) -> rx.Component:
    """A label and its value, in a description list."""
    return definition(term, value, size="py-1 text-xs", look="break-words")


def column(source: rx.Var[Column]) -> rx.Component:
    """Which column or file a value was read from."""
    return line(source.role, source.source)


def sample(clip: rx.Var[Sample]) -> rx.Component:
    """One clip with its label or caption."""
    return rx.el.li(
        rx.el.p(clip.file, title=clip.file, class_name="truncate font-mono text-xs text-muted-foreground"),
        rx.cond(
            clip.prompt != "",
            rx.el.p(clip.prompt, class_name="line-clamp-2 text-xs text-muted-foreground"),
            rx.fragment(),
        ),
        rx.el.p(clip.text, class_name="line-clamp-3 text-xs break-words"),
        class_name="flex flex-col gap-0.5 rounded-md bg-muted px-2.5 py-2",
    )


def note(text: rx.Var[str]) -> rx.Component:
    """A note about what was left out or how the layout was chosen."""
    return rx.el.li(
        icon("info", size=14, class_name="mt-px shrink-0"),
        rx.el.span(text, class_name="min-w-0 break-words"),
        class_name="flex gap-2 text-xs text-muted-foreground",
    )


def layout_card() -> rx.Component:
    """How the files were read; nothing for datasets whose layout is not known."""
    return rx.cond(
        (_LAYOUT.title != "") & (_LAYOUT.to_add == ""),
        card(
            rx.el.dl(
                line("Layout", _LAYOUT.title),
                rx.cond(_LAYOUT.files != "", line("Described by", _LAYOUT.files), rx.fragment()),
                rx.foreach(_LAYOUT.columns, column),
                line("Splits", _LAYOUT.splits),
            ),
            rx.el.ul(rx.foreach(_LAYOUT.samples, sample), class_name="mt-3 flex flex-col gap-2"),
            rx.cond(
                _LAYOUT.notes.length() > 0,
                rx.el.ul(rx.foreach(_LAYOUT.notes, note), class_name="mt-3 flex flex-col gap-1.5"),
                rx.fragment(),
            ),
            title="How it was read",
            actions=rx.cond(
                DatasetDetailState.correctable,
                button("Edit", icon="pencil", size="sm", on_click=DatasetReadingState.open),
                rx.fragment(),
            ),
        ),
        rx.fragment(),
    )
