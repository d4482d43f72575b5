"""The page at `/audit`: what was done in the studio, for administrators."""

import reflex as rx

from orchestrator.domain.audit import NOUNS
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.loading_states import list_content, paging_controls
from orchestrator.states.audit.index import ANY, AuditLine
from orchestrator.states.audit.index import AuditState as State
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import data_toolbar, search_field
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.notice import notice
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import skeleton
from orchestrator.ui.primitives.table import cell, head_cell, row, table

_NOTE = "Every act that changed something, and every login that was refused. Entries are never changed."


def _act(line: AuditLine) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span(line.act, class_name="font-medium"),
            rx.cond(line.refused, badge("Refused", tone="destructive"), rx.fragment()),
            class_name="flex flex-wrap items-center gap-2",
        ),
        rx.cond(
            line.changes != "",
            rx.el.p(line.changes, class_name="mt-0.5 text-xs break-words text-muted-foreground"),
            rx.fragment(),
        ),
        # A phone has no room for the other columns.
        rx.el.p(
            line.who,
            ", ",
            relative_time(line.at),
            rx.cond(line.object != "", rx.fragment(", ", line.object), ""),
            rx.cond(line.origin != "", rx.fragment(", ", line.origin), ""),
            class_name="mt-0.5 hidden text-xs break-words text-muted-foreground touch:block",
        ),
    )


def _row(line: AuditLine) -> rx.Component:
    return row(
        cell(line.id, number=True, muted=True, class_name="w-16 text-xs touch:hidden"),
        cell(relative_time(line.at), muted=True, class_name="text-xs whitespace-nowrap touch:hidden"),
        cell(long_name(line.who), class_name="max-w-40 touch:hidden"),
        cell(_act(line), class_name="max-w-96 py-2"),
        cell(long_name(line.object), class_name="max-w-48 touch:hidden"),
        cell(long_name(line.origin), muted=True, class_name="max-w-44 font-mono text-xs touch:hidden"),
        key=line.id.to_string(),
        custom_attrs={"data-entry": line.id},
    )


def _rows() -> rx.Component:
    hidden = [
        head_cell("Entry", number=True, class_name="touch:hidden"),
        head_cell("When", class_name="touch:hidden"),
        head_cell("Who", class_name="touch:hidden"),
    ]
    more = [head_cell("Object", class_name="touch:hidden"), head_cell("From", class_name="touch:hidden")]
    entries = table([*hidden, "Act", *more], rx.foreach(State.rows, _row), label="Audit log")
    return rx.fragment(card(entries, padded=False), paging_controls(State, "entries"))


def _toolbar() -> rx.Component:
    return data_toolbar(
        search_field(value=State.q, on_change=State.search, placeholder="Who, object, address"),
        select(
            [(ANY, "Every object"), *((noun, noun.capitalize()) for noun in NOUNS)],
            value=State.kind,
            on_change=State.filter_kind,
            label="Object",
            muted=True,
        ),
        select(
            [(ANY, "Done and refused"), ("done", "Done"), ("refused", "Refused")],
            value=rx.cond(State.status == "", ANY, State.status),
            on_change=State.filter_status,
            label="Outcome",
            muted=True,
        ),
    )


def _export(word: str, kind: str) -> rx.Component:
    address = f"/api/v1/audit/export?format={kind}{State.export_query}"
    return button(word, icon="download", href=address, download=True)


def _actions() -> list[rx.Component]:
    return [
        _export("CSV", "csv"),
        _export("JSON lines", "jsonl"),
        button(
            "Verify",
            icon="shield-check",
            on_click=State.verify,
            loading=State.verifying,
            disabled=State.verifying,
            id="audit-verify",
        ),
    ]


def _verdict() -> rx.Component:
    found = rx.el.span(State.verified, class_name="break-words", id="audit-verdict")
    shown = rx.cond(State.tampered, notice(found, tone="destructive"), notice(found, tone="info"))
    return rx.cond(State.verified != "", shown, rx.fragment())


def index() -> rx.Component:
    """The audit log."""
    none = empty_state(
        icon="scroll-text",
        title="No entries yet",
        text="What people, scripts and the studio itself change from now on is listed here.",
    )
    return frame(
        page_header("Audit log", note=_NOTE, actions=_actions()),
        _verdict(),
        rx.cond((State.total > 0) | State.filtered, _toolbar(), rx.fragment()),
        list_content(State, "entries", _rows(), none, skeleton("h-72 w-full rounded-xl")),
        title="Audit log",
        active="settings",
        breadcrumb=[("Settings", "/settings")],
    )
