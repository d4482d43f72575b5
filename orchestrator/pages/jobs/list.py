"""The page at `/jobs`: all of one's training jobs, moving by themselves."""

import reflex as rx

from orchestrator.pages.shared.frame import frame
from orchestrator.states.jobs.list import JobsState
from orchestrator.states.jobs.rows import JobLine
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.error_state import error_state
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import data_toolbar, search_box
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import progress, swatch
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import loading, skeleton
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.table import cell, head_cell, row, table

STATUSES = [
    ("all", "All"),
    ("active", "Active"),
    ("queued", "Waiting"),
    ("running", "Running"),
    ("completed", "Completed"),
    ("failed", "Failed"),
    ("stopped", "Stopped"),
]
SORTS = [
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("name", "Name"),
    ("status", "Status"),
    ("dataset", "Dataset"),
    ("model", "Model"),
]


def _live(line: JobLine, name: str) -> rx.Var:
    """A value of the row: the live one while there is one."""
    key = line.id.to_string()
    return rx.cond(JobsState.live.contains(key), getattr(JobsState.live[key], name), getattr(line, name))


def _progress(line: JobLine) -> rx.Component:
    return rx.el.div(
        # A bar is as wide as what holds it.
        rx.el.div(
            progress(_live(line, "share") * 100, label="Progress", series=line.hue),
            class_name="w-16 shrink-0 touch:hidden",
        ),
        rx.el.span(_live(line, "percent"), class_name="w-11 shrink-0 text-right font-mono text-xs tabular"),
        rx.el.span(
            _live(line, "epochs"),
            title="Epochs",
            class_name="font-mono text-xs tabular whitespace-nowrap text-muted-foreground touch:hidden",
        ),
        class_name="flex min-w-max items-center gap-2",
    )


def _row(line: JobLine) -> rx.Component:
    href = f"/jobs/{line.id}"
    return row(
        cell(
            rx.el.input(
                type="checkbox",
                disabled=line.owner != "",
                checked=JobsState.chosen.contains(line.id),
                on_change=lambda picked: JobsState.choose(line.id, picked),
                aria_label=f"Compare {line.name}",
                # Above the link that reaches over the whole row.
                class_name="relative z-10 size-4 cursor-pointer align-middle accent-(--primary) focus-ring",
            ),
            class_name="w-8 pr-0 touch:hidden",
        ),
        cell(line.id, number=True, muted=True, class_name="w-12 touch:hidden"),
        cell(
            rx.el.div(
                swatch(line.hue),
                # The link reaches over the whole row: one target for mouse, keyboard and screen reader.
                rx.cond(
                    line.owner,
                    rx.el.span(
                        line.name,
                        rx.el.span(" of ", line.owner, class_name="text-muted-foreground"),
                        class_name="truncate",
                    ),
                    link(
                        line.name,
                        href=href,
                        quiet=False,
                        class_name="truncate font-medium no-underline after:absolute after:inset-0 after:content-[''] hover:underline",
                    ),
                ),
                class_name="flex min-w-0 items-center gap-2.5",
            ),
            class_name="max-w-56 touch:max-w-36",
        ),
        cell(line.model, muted=True, class_name="max-w-40 truncate touch:hidden"),
        cell(line.dataset, muted=True, class_name="max-w-40 truncate touch:hidden"),
        cell(status_chip(line.status)),
        cell(_progress(line)),
        cell(_live(line, "loss"), number=True, class_name="touch:hidden"),
        cell(
            rx.cond(line.started, relative_time(line.started), "not yet"),
            muted=True,
            class_name="text-right text-xs whitespace-nowrap touch:hidden",
        ),
        class_name="relative",
        key=line.id.to_string(),
        custom_attrs={"data-job": line.id},
    )


def _table() -> rx.Component:
    return card(
        table(
            [
                head_cell(rx.el.span("Compare", class_name="sr-only"), class_name="w-8 pr-0 touch:hidden"),
                head_cell("Id", number=True, class_name="touch:hidden"),
                "Name",
                head_cell("Model", class_name="touch:hidden"),
                head_cell("Dataset", class_name="touch:hidden"),
                "Status",
                "Progress",
                head_cell("Loss", number=True, class_name="touch:hidden"),
                head_cell("Started", number=True, class_name="touch:hidden"),
            ],
            rx.foreach(JobsState.rows, _row),
            label="Training jobs",
        ),
        rx.el.div(
            rx.el.span(
                f"{JobsState.first} to {JobsState.last} of {JobsState.total}",
                class_name="text-xs text-muted-foreground",
            ),
            rx.cond(
                (JobsState.page > 1) | (JobsState.next_cursor != ""),
                rx.el.div(
                    button(
                        "Previous",
                        size="sm",
                        icon="chevron-left",
                        disabled=JobsState.page == 1,
                        on_click=JobsState.previous_page,
                    ),
                    button(
                        "Next",
                        size="sm",
                        icon_right="chevron-right",
                        disabled=JobsState.next_cursor == "",
                        on_click=JobsState.next_page,
                    ),
                    class_name="flex gap-2",
                ),
                rx.fragment(),
            ),
            class_name="flex min-h-12 items-center justify-between border-t border-border px-5 py-2",
        ),
        padded=False,
    )


def _nothing() -> rx.Component:
    demo = rx.cond(
        JobsState.demo_href,
        button("Train the demo", variant="primary", icon="play", href=JobsState.demo_href, id="train-demo"),
        rx.fragment(),
    )
    return rx.cond(
        JobsState.filtered,
        empty_state(
            title="No job matches",
            text="Nothing here fits the search and the filters.",
            action=button("Clear search and filters", on_click=JobsState.clear),
            icon="search-x",
        ),
        empty_state(
            title="No training jobs yet",
            text="Train the demo: a small video model learns four new motions in about a minute, on this machine.",
            action=rx.fragment(demo, button("New training job", icon="plus", href="/jobs/new")),
            icon="activity",
        ),
    )


def _toolbar() -> rx.Component:
    return data_toolbar(
        search_box(value=JobsState.q, on_change=JobsState.search, placeholder="Name, dataset, id"),
        select(options=STATUSES, value=JobsState.status, on_change=JobsState.filter_status, label="Status", quiet=True),
        select(
            options=JobsState.datasets,
            value=JobsState.dataset,
            on_change=JobsState.filter_dataset,
            label="Dataset",
            quiet=True,
        ),
        select(
            options=JobsState.models, value=JobsState.model, on_change=JobsState.filter_model, label="Model", quiet=True
        ),
        rx.cond(
            JobsState.owners.length() > 2,
            select(
                options=JobsState.owners,
                value=JobsState.owner,
                on_change=JobsState.filter_owner,
                label="Owner",
                quiet=True,
            ),
            rx.fragment(),
        ),
        right=[
            rx.cond(
                JobsState.chosen.length() > 1,
                rx.fragment(
                    button("Clear", variant="ghost", on_click=JobsState.choose_none),
                    button(
                        f"Compare {JobsState.chosen.length()}",
                        variant="primary",
                        icon="git-compare",
                        href=JobsState.compare_href,
                        id="compare-chosen",
                    ),
                ),
                rx.fragment(),
            ),
            select(options=SORTS, value=JobsState.sort, on_change=JobsState.sort_by, label="Sort by", quiet=True),
        ],
    )


def _body() -> rx.Component:
    full = rx.cond(JobsState.rows.length() > 0, _table(), _nothing())
    return rx.fragment(
        rx.cond(JobsState.any_jobs, _toolbar(), rx.fragment()),
        rx.cond(
            JobsState.failed, error_state("The list could not be read", JobsState.failed, retry=JobsState.retry), full
        ),
    )


def jobs_list() -> rx.Component:
    """The list of training jobs."""
    return frame(
        page_header(
            "Training jobs",
            note="Every run, with its curve, its log and its adapter.",
            actions=[button("New training job", variant="primary", icon="plus", href="/jobs/new")],
        ),
        rx.cond(JobsState.ready, _body(), loading(skeleton("h-72 w-full rounded-xl"))),
        title="Training jobs",
        active="jobs",
    )
