"""New files before they are added: how they were understood, to be accepted or corrected."""

import reflex as rx

from orchestrator.pages.datasets.facts import class_bar
from orchestrator.pages.datasets.layout_view import column, line, note, sample
from orchestrator.states.datasets.detail import DatasetDetailState as State
from orchestrator.states.datasets.reading import DatasetReadingState
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon

_LAYOUT = State.layout
_TITLE = "text-xs font-medium text-muted-foreground"


def _warning(text: rx.Var[str]) -> rx.Component:
    return rx.cond(
        text != "",
        rx.el.p(
            icon("triangle-alert", size=16, class_name="mt-0.5 shrink-0 text-warning"),
            rx.el.span(text, class_name="min-w-0 break-words"),
            role="status",
            class_name="flex gap-2 rounded-lg bg-warning/10 px-3 py-2 text-sm",
        ),
        rx.fragment(),
    )


def _facts() -> rx.Component:
    return rx.el.dl(
        line("Would be added", _LAYOUT.to_add),
        line("Layout", _LAYOUT.title),
        rx.cond(_LAYOUT.files != "", line("Described by", _LAYOUT.files), rx.fragment()),
        rx.foreach(_LAYOUT.columns, column),
        line("Splits", _LAYOUT.splits),
        rx.cond(_LAYOUT.left_out != "", line("Left out", _LAYOUT.left_out), rx.fragment()),
    )


def _classes() -> rx.Component:
    return rx.cond(
        _LAYOUT.classes.length() > 0,
        rx.el.div(
            rx.el.h3("Clips per class ", rx.el.span(_LAYOUT.classes_note, class_name="font-normal"), class_name=_TITLE),
            rx.el.ul(rx.foreach(_LAYOUT.classes, class_bar), class_name="mt-1 max-h-64 overflow-y-auto", tab_index=0),
        ),
        rx.fragment(),
    )


def _notes() -> rx.Component:
    return rx.el.ul(
        rx.foreach(_LAYOUT.why, note), rx.foreach(_LAYOUT.notes, note), class_name="flex flex-col gap-1.5 empty:hidden"
    )


def review() -> rx.Component:
    """Shown while new files wait until the user accepts how they are read."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Review the import", class_name="text-base font-semibold"),
            rx.el.p(
                "This is how the files were understood. If you accept it, every clip is opened and added; if you correct "
                "it, the files are read again. Nothing is uploaded again.",
                class_name="mt-1 max-w-2xl text-sm text-muted-foreground",
            ),
        ),
        _warning(State.correction_problem),
        _warning(_LAYOUT.doubt),
        rx.el.div(
            rx.el.div(_facts(), _classes(), _notes(), class_name="flex min-w-0 flex-col gap-4"),
            rx.el.div(
                rx.el.h3("Some of the clips", class_name=_TITLE),
                rx.el.ul(rx.foreach(_LAYOUT.samples, sample), class_name="mt-2 flex flex-col gap-2"),
                class_name="min-w-0",
            ),
            class_name="grid grid-cols-1 items-start gap-6 md:grid-cols-2",
        ),
        rx.el.div(
            button("Accept", icon="check", variant="primary", on_click=State.accept),
            button("Edit", icon="pencil", on_click=DatasetReadingState.open),
            alert_dialog(
                title="Discard these files?",
                description="They are deleted from this server and have to be added again. Clips that were here before "
                "stay.",
                confirm="Discard them",
                cancel="Keep them",
                on_confirm=State.cancel,
                opener=button("Discard", icon="trash-2", variant="ghost"),
            ),
            class_name="flex flex-wrap gap-2",
        ),
        aria_label="How it was read",
        class_name="flex flex-col gap-5 rounded-xl border border-border bg-card p-5 touch:p-4",
    )
