"""How the upload was read: its layout, what was taken from where, and a few clips to compare with what was meant."""

import reflex as rx

from orchestrator.states.datasets_detail import DatasetDetailState
from orchestrator.states.datasets_layout import Column, Sample
from orchestrator.states.datasets_reading import DatasetReading
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon

_LAYOUT = DatasetDetailState.layout


def _line(term: str | rx.Var[str], value: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(term, class_name="shrink-0 text-muted-foreground"),
        rx.el.dd(value, class_name="min-w-0 text-right break-words"),
        class_name="flex items-baseline justify-between gap-4 py-1 text-xs",
    )


def _column(column: rx.Var[Column]) -> rx.Component:
    return _line(column.role, column.source)


def _sample(sample: rx.Var[Sample]) -> rx.Component:
    return rx.el.li(
        rx.el.p(sample.file, title=sample.file, class_name="truncate font-mono text-xs text-muted-foreground"),
        rx.cond(
            sample.prompt != "",
            rx.el.p(sample.prompt, class_name="line-clamp-2 text-xs text-muted-foreground"),
            rx.fragment(),
        ),
        rx.el.p(sample.said, class_name="line-clamp-3 text-xs break-words"),
        class_name="flex flex-col gap-0.5 rounded-md bg-muted px-2.5 py-2",
    )


def _note(note: rx.Var[str]) -> rx.Component:
    return rx.el.li(
        icon("info", size=14, class_name="mt-px shrink-0"),
        rx.el.span(note, class_name="min-w-0 break-words"),
        class_name="flex gap-2 text-xs text-muted-foreground",
    )


def understood() -> rx.Component:
    """Nothing for datasets whose layout is not known."""
    return rx.cond(
        _LAYOUT.title != "",
        card(
            rx.el.dl(
                _line("Layout", _LAYOUT.title),
                rx.cond(_LAYOUT.files != "", _line("Described by", _LAYOUT.files), rx.fragment()),
                rx.foreach(_LAYOUT.columns, _column),
                _line("Splits", _LAYOUT.splits),
            ),
            rx.el.ul(rx.foreach(_LAYOUT.samples, _sample), class_name="mt-3 flex flex-col gap-2"),
            rx.cond(
                _LAYOUT.notes.length() > 0,
                rx.el.ul(rx.foreach(_LAYOUT.notes, _note), class_name="mt-3 flex flex-col gap-1.5"),
                rx.fragment(),
            ),
            title="How it was read",
            actions=rx.cond(
                DatasetDetailState.correctable,
                button("Correct", icon="pencil", size="sm", on_click=DatasetReading.open),
                rx.fragment(),
            ),
        ),
        rx.fragment(),
    )
