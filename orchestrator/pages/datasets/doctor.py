"""The doctor's card and the list of versions on a dataset's page."""

import reflex as rx

from orchestrator.pages.shared.loading_states import paging_controls
from orchestrator.states.datasets.conversions import DatasetConversionState
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.doctor import DatasetDoctorState, FindingLine, Remedy
from orchestrator.states.datasets.versions import DatasetVersionsState, EditLine
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon

State, Versions = DatasetDoctorState, DatasetVersionsState


def _remedy(remedy: rx.Var[Remedy]) -> rx.Component:
    apply = State.apply(remedy.kind, remedy.action)
    return rx.cond(
        remedy.action == "delete",
        alert_dialog(
            title="Delete these files?",
            description="They cannot be restored. Clips that are in use are not affected.",
            confirm="Delete files",
            cancel="Keep them",
            on_confirm=apply,
            opener=button(remedy.text, size="sm"),
        ),
        rx.cond(
            remedy.converts,
            button(
                remedy.text,
                "…",
                size="sm",
                on_click=DatasetConversionState.open_conversions(remedy.kind, remedy.action),
            ),
            button(remedy.text, size="sm", on_click=apply),
        ),
    )


def _finding(finding: rx.Var[FindingLine]) -> rx.Component:
    return rx.el.li(
        rx.match(
            finding.severity,
            ("error", icon("circle-x", label="Error", class_name="mt-0.5 text-destructive")),
            ("warning", icon("triangle-alert", label="Warning", class_name="mt-0.5 text-warning")),
            icon("info", label="Note", class_name="mt-0.5 text-info"),
        ),
        rx.el.div(
            rx.el.p(finding.title, class_name="text-sm font-medium"),
            rx.el.p(finding.detail, class_name="mt-0.5 text-xs break-words text-muted-foreground"),
            rx.cond(
                (finding.kind == "unplayed") & State.converting,
                rx.el.p("Converting…", role="status", class_name="mt-2 text-xs text-muted-foreground"),
                rx.el.div(
                    rx.cond(
                        finding.show_label != "",
                        button(
                            finding.show_label,
                            size="sm",
                            icon="eye",
                            on_click=DatasetDetailState.show_finding(finding.kind),
                            aria_label=finding.show_label + ": " + finding.title,
                        ),
                        rx.fragment(),
                    ),
                    rx.cond(DatasetDetailState.editable, rx.foreach(finding.remedies, _remedy), rx.fragment()),
                    class_name="mt-2 flex flex-wrap gap-2 empty:hidden",
                ),
            ),
            class_name="min-w-0",
        ),
        data_finding=finding.kind,
        class_name="flex gap-2.5 border-b border-border pb-3",
    )


def _passed(sentence: rx.Var[str]) -> rx.Component:
    return rx.el.li(
        icon("check", class_name="text-success"),
        rx.el.span(sentence),
        class_name="flex items-center gap-2.5 text-sm text-muted-foreground",
    )


def doctor() -> rx.Component:
    """The findings with buttons that correct them, then what is in order."""
    return rx.cond(
        State.passed.length() + State.findings.length() > 0,
        card(
            rx.el.ul(rx.foreach(State.findings, _finding), class_name="flex flex-col gap-3 empty:hidden"),
            rx.el.ul(rx.foreach(State.passed, _passed), class_name="mt-3 flex flex-col gap-2 first:mt-0"),
            title="Doctor",
            note=State.note,
        ),
        rx.fragment(),
    )


def _edit(edit: rx.Var[EditLine]) -> rx.Component:
    return rx.el.li(
        rx.el.span(edit.version, class_name="w-8 shrink-0 font-mono text-xs text-muted-foreground"),
        rx.el.div(
            rx.el.p(edit.what, class_name="text-xs break-words"),
            rx.el.p(relative_time(edit.exact), class_name="text-xs text-muted-foreground"),
            class_name="min-w-0 flex-1",
        ),
        rx.cond(
            edit.undone,
            rx.el.span("undone", class_name="text-xs text-muted-foreground"),
            button(
                "Undo", size="sm", variant="ghost", on_click=Versions.undo(edit.id), aria_label="Undo " + edit.version
            ),
        ),
        class_name="flex items-start gap-2 py-1.5",
    )


def edits() -> rx.Component:
    """The versions that edits have made; nothing before the first edit."""
    return rx.cond(
        Versions.edits.length() > 0,
        card(
            rx.el.ul(rx.foreach(Versions.edits, _edit)),
            paging_controls(Versions, "versions"),
            title="Versions",
            note="a job keeps the one it started with",
        ),
        rx.fragment(),
    )
