"""What of the files is not used: one line at the head of the page, and the list with the reasons behind it."""

import reflex as rx

from orchestrator.services.datasets.not_used import NotUsedKind
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.layout_view import NotUsedLine
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.tabs import tab_panel, tabs

_LAYOUT = DatasetDetailState.layout


def _name(name: rx.Var[str]) -> rx.Component:
    return rx.el.li(name, class_name="font-mono text-xs break-all text-muted-foreground")


def _line(line: rx.Var[NotUsedLine]) -> rx.Component:
    return rx.el.li(
        rx.el.p(rx.el.span(line.what, class_name="font-medium"), ": ", line.reason, class_name="text-sm break-words"),
        rx.cond(line.step != "", rx.el.p(line.step, class_name="text-sm break-words"), rx.fragment()),
        rx.el.ul(rx.foreach(line.names, _name), class_name="mt-1 flex flex-col gap-0.5"),
        rx.cond(line.more != "", rx.el.p(line.more, class_name="text-xs text-muted-foreground"), rx.fragment()),
        class_name="border-b border-border py-3 last:border-b-0",
    )


def _lines(kind: NotUsedKind | None) -> rx.Component:
    """The lines of one kind, or all of them."""
    return rx.el.ul(
        rx.foreach(
            _LAYOUT.not_used,
            _line if kind is None else lambda line: rx.cond(line.kind == kind.value, _line(line), rx.fragment()),
        ),
        class_name="flex flex-col",
    )


def not_used() -> rx.Component:
    """What is not used, with the list; nothing where all is used."""
    panels = [tab_panel(kind.value, _lines(kind)) for kind in NotUsedKind]
    return rx.cond(
        _LAYOUT.not_used_text != "",
        rx.el.section(
            icon("info", class_name="shrink-0 text-info"),
            rx.el.p(
                rx.el.span("Not used: ", class_name="font-semibold"),
                _LAYOUT.not_used_text,
                class_name="min-w-0 flex-1 text-sm break-words",
            ),
            dialog(
                rx.cond(
                    _LAYOUT.not_used_kinds.length() > 1,
                    tabs(
                        _LAYOUT.not_used_kinds,
                        tab_panel("all", _lines(None)),
                        *panels,
                        label="Kind",
                        default_value="all",
                    ),
                    _lines(None),
                ),
                title="Not used",
                description="What came with the files and is not part of this dataset, with the reason.",
                size="lg",
                opener=button("Show", size="sm", aria_label="Show what is not used"),
            ),
            aria_label="Not used",
            class_name="flex items-center gap-3 rounded-xl border border-border bg-card p-4",
        ),
        rx.fragment(),
    )
