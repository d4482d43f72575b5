"""The page at /adapters/[adapter_id]: one version, its origin, its results, and the other versions of its name."""

from typing import Any

import reflex as rx

from orchestrator.pages.adapters.operations import operations_card, push_dialog
from orchestrator.pages.shared.card_text import card_block
from orchestrator.pages.shared.figures import definition
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.layout import main_and_side
from orchestrator.pages.shared.loading_states import record_page
from orchestrator.pages.shared.terms import explain_curve
from orchestrator.states.adapters.detail import AdapterDetailState, FileLine
from orchestrator.states.adapters.rows import AdapterLine, MetricLine
from orchestrator.states.shared.presentation import Fact
from orchestrator.ui.kit import Text
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.confirm_delete import confirm_delete
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.badge import badge, tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.table import cell, head_cell, row, table

State = AdapterDetailState


def _delete() -> rx.Component:
    return confirm_delete(
        rx.el.ul(
            rx.el.li("Its files are deleted for good. Its job, the dataset and the base model stay."),
            rx.foreach(State.consequences, rx.el.li),
            class_name="flex list-disc flex-col gap-1 pl-5",
        ),
        what="version",
        name=State.title,
        on_confirm=State.delete,
        open=State.deleting,
        on_open_change=State.show_delete,
    )


def _header(line: rx.Var[AdapterLine]) -> rx.Component:
    used = rx.cond(
        line.production,
        button("Take out of production", on_click=State.promote(False), id="adapter-demote"),
        button("Promote to production", icon="circle-check", on_click=State.promote(True), id="adapter-promote"),
    )
    download = button(
        "Download adapter",
        icon="download",
        variant="primary",
        href=f"/api/v1/adapters/{line.id}/download",
        download=True,
        id="adapter-download",
    )
    try_it = button("Open in playground", icon="play", href=f"/playground?adapter={line.id}", id="adapter-try")
    go_on = button("Continue training", icon="git-branch", href=f"/jobs/new?adapter={line.id}", id="adapter-continue")
    more = dropdown_menu(
        menu_item("Delete", icon="trash-2", destructive=True, on_click=State.show_delete(True)),
        label="More",
        variant="ghost",
    )
    return page_header(
        line.name,
        badges=rx.fragment(
            tag(line.version, class_name="font-mono"),
            rx.cond(line.production, badge("In production", tone="success"), rx.fragment()),
            rx.cond(line.full_model, tag("full model"), rx.fragment()),
            rx.cond(line.task != "", tag(line.task), rx.fragment()),
        ),
        note=rx.fragment(line.size, ", created ", relative_time(line.made_at)),
        actions=[
            download,
            rx.cond(line.full_model, rx.fragment(), try_it),
            rx.cond(line.full_model, rx.fragment(), go_on),
            used,
            more,
            _delete(),
        ],
    )


def _metric(item: rx.Var[MetricLine]) -> rx.Component:
    return row(
        cell(rx.el.span(item.label, explain_curve(item.name), class_name="inline-flex items-center gap-0.5")),
        cell(item.now, number=True, class_name="font-semibold"),
        cell(item.before, number=True, muted=True),
    )


def _results() -> rx.Component:
    metrics = table(
        ["Metric", head_cell("This version", number=True), head_cell(State.baseline_name, number=True)],
        rx.foreach(State.metrics, _metric),
        label="Results",
    )
    nothing = rx.el.p(
        "There were no validation clips, so nothing was measured.", class_name="px-5 pb-5 text-sm text-muted-foreground"
    )
    return card(
        rx.cond(State.metrics.length() > 0, metrics, nothing),
        title="Results",
        note=State.metrics_note,
        padded=False,
    )


def _version(line: rx.Var[AdapterLine]) -> rx.Component:
    shown: Any = State.card
    here = line.id == shown.id
    return row(
        cell(
            rx.cond(
                here,
                rx.el.span(line.version, aria_current="page", class_name="font-mono font-semibold"),
                link(line.version, href=f"/adapters/{line.id}", muted=False, class_name="font-mono"),
            ),
            rx.cond(line.production, badge("In production", tone="success", class_name="ml-2"), rx.fragment()),
            class_name="whitespace-nowrap",
        ),
        cell(line.value, number=True),
        cell(line.base, class_name="whitespace-nowrap"),
        cell(line.dataset, class_name="whitespace-nowrap"),
        cell(relative_time(line.made_at), muted=True, class_name="whitespace-nowrap"),
    )


def _versions() -> rx.Component:
    shown: Any = State.card
    compare = rx.cond(
        State.compare != "", button("Compare", size="sm", icon="git-compare", href=State.compare), rx.fragment()
    )
    return card(
        table(
            ["Version", head_cell(rx.cond(State.card, shown.metric, ""), number=True), "Base", "Dataset", "Created"],
            rx.foreach(State.versions, _version),
            label="Versions",
        ),
        title="Versions",
        actions=compare,
        padded=False,
    )


def _file(file: rx.Var[FileLine]) -> rx.Component:
    name = rx.cond(file.href != "", link(file.name, href=file.href, muted=False, download=True), rx.el.span(file.name))
    return row(cell(name, class_name="font-mono text-xs break-all"), cell(file.size, number=True))


def _files() -> rx.Component:
    missing = rx.el.p(
        "They are not on the disk any more. Run the training again to restore them.",
        class_name="px-5 pb-5 text-sm text-muted-foreground",
    )
    files = table(["File", head_cell("Size", number=True)], rx.foreach(State.files, _file), label="Files")
    return card(rx.cond(State.files.length() > 0, files, missing), title="Files", padded=False)


def _model_card() -> rx.Component:
    """The README of its download: what it is, how it was made, how to load it."""
    return rx.cond(
        State.readme.length() > 0,
        card(
            rx.el.div(
                rx.foreach(State.readme, card_block),
                tab_index=0,
                role="region",
                aria_label="Model card",
                class_name="flex max-h-112 flex-col gap-3 overflow-y-auto focus-ring",
            ),
            title="Model card",
            note="README.md of the download",
        ),
        rx.fragment(),
    )


def _pair(caption: Text, *value: Any) -> rx.Component:
    return definition(caption, *value, size="py-1 text-sm", look="truncate")


def _link_to(record_id: rx.Var[int], nouns: str, name: rx.Var[str]) -> rx.Component:
    """A link, or the name without one where the record was deleted."""
    return rx.cond(record_id > 0, link(name, href=f"/{nouns}/{record_id}"), rx.el.span(name, " (deleted)"))


def _lineage(line: rx.Var[AdapterLine]) -> rx.Component:
    job = rx.cond(
        line.job_id > 0,
        link(f"job {line.job_id}", href=f"/jobs/{line.job_id}"),
        rx.el.span("deleted", class_name="text-muted-foreground"),
    )
    return card(
        rx.el.dl(
            _pair("Base", _link_to(line.model_id, "models", line.base)),
            rx.cond(
                State.revision != "",
                _pair(
                    "Base revision",
                    rx.el.span(State.revision_short, title=State.revision, class_name="font-mono text-xs"),
                ),
                rx.fragment(),
            ),
            _pair("Dataset", _link_to(line.dataset_id, "datasets", line.dataset)),
            _pair("Produced by", job),
            rx.cond(line.parent_id > 0, _pair("Continued from", _parent(line)), rx.fragment()),
        ),
        title="Lineage",
    )


def _parent(line: rx.Var[AdapterLine]) -> rx.Component:
    return rx.cond(
        line.parent != "",
        link(line.parent, href=f"/adapters/{line.parent_id}"),
        rx.el.span(f"adapter {line.parent_id} (deleted)", class_name="text-muted-foreground"),
    )


def _setting(fact: rx.Var[Fact]) -> rx.Component:
    return _pair(fact.caption, rx.el.span(fact.value, title=fact.value, class_name="tabular"))


def detail() -> rx.Component:
    """One version."""
    line: Any = State.card
    settings = card(rx.el.dl(rx.foreach(State.settings, _setting)), title="Settings")
    versions = rx.cond(State.versions.length() > 1, _versions(), rx.fragment())
    body = main_and_side([_results(), versions, _model_card(), operations_card(), _files()], [_lineage(line), settings])
    return frame(
        record_page(State, "adapter", rx.fragment(_header(line), body)),
        push_dialog(),
        title=State.title,
        active="adapters",
        breadcrumb=[("Adapters", "/adapters")],
    )
