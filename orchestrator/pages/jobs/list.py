"""The page at `/jobs`: the user's training jobs, updated while they run."""

import reflex as rx

from orchestrator.pages.jobs.drafts import drafts_card
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.job_links import demo_buttons
from orchestrator.pages.shared.list_toolbar import sort_head, sort_select
from orchestrator.pages.shared.loading_states import list_content, paging_controls
from orchestrator.states.jobs.drafts import DraftsState
from orchestrator.states.jobs.list import SORTS, JobsState
from orchestrator.states.jobs.rows import JobLine
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import data_toolbar, search_field
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import progress, swatch
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import skeleton
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.table import cell, head_cell, row, table


def _live(line: JobLine, name: str) -> rx.Var:
    """A value of the row: the live one if there is one."""
    key = line.id.to_string()
    return rx.cond(JobsState.live.contains(key), getattr(JobsState.live[key], name), getattr(line, name))


def _progress(line: JobLine) -> rx.Component:
    return rx.el.div(
        # A bar takes the width of its parent.
        rx.el.div(
            progress(_live(line, "share") * 100, label="Progress", series=line.series),
            class_name="w-10 shrink-0 touch:hidden",
        ),
        rx.el.span(_live(line, "percent"), class_name="w-11 shrink-0 text-right font-mono text-xs tabular"),
        rx.el.span(
            _live(line, "epochs"),
            title="Epochs",
            class_name="font-mono text-xs tabular whitespace-nowrap text-muted-foreground touch:hidden",
        ),
        class_name="flex min-w-max items-center gap-2",
    )


def _phone_line(line: JobLine) -> rx.Component:
    """Under the name on a phone: what the hidden columns say."""
    return rx.el.p(
        _live(line, "percent"),
        ", loss ",
        _live(line, "loss"),
        rx.cond(line.result != "", f", result {line.result}", ""),
        rx.cond(line.started, rx.fragment(", ", relative_time(line.started)), ""),
        class_name="mt-0.5 hidden text-xs text-muted-foreground tabular touch:block",
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
                # Above the link that covers the whole row.
                class_name="relative z-10 size-4 cursor-pointer align-middle accent-(--primary) focus-ring",
            ),
            class_name="w-8 pr-0 touch:hidden",
        ),
        cell(
            rx.el.div(
                swatch(line.series),
                # The link covers the whole row: one target for mouse, keyboard and screen reader.
                rx.cond(
                    line.owner,
                    rx.el.span(
                        long_name(line.name),
                        rx.el.span("by ", line.owner, class_name="shrink-0 text-muted-foreground"),
                        class_name="flex min-w-0 gap-1",
                    ),
                    link(
                        long_name(line.name),
                        href=href,
                        muted=False,
                        class_name="min-w-0 font-medium no-underline after:absolute after:inset-0 after:content-[''] hover:underline",
                    ),
                ),
                rx.el.span("#", line.id, class_name="shrink-0 font-mono text-xs text-muted-foreground"),
                class_name="flex min-w-0 items-center gap-2",
            ),
            _phone_line(line),
            class_name="max-w-56 touch:max-w-52 touch:py-2",
        ),
        cell(long_name(line.model), muted=True, class_name="max-w-36 max-xl:hidden"),
        cell(long_name(line.dataset), muted=True, class_name="max-w-36 touch:hidden"),
        cell(status_chip(line.status)),
        cell(_progress(line), class_name="touch:hidden"),
        cell(_live(line, "loss"), number=True, class_name="touch:hidden"),
        cell(line.result, number=True, class_name="touch:hidden"),
        cell(
            rx.cond(line.started, relative_time(line.started), "not yet"),
            muted=True,
            class_name="text-right text-xs whitespace-nowrap touch:hidden",
        ),
        class_name="relative",
        key=line.id.to_string(),
        custom_attrs={"data-job": line.id},
    )


def _rows() -> rx.Component:
    head = [
        head_cell(rx.el.span("Compare", class_name="sr-only"), class_name="w-8 pr-0 touch:hidden"),
        sort_head(JobsState, "Name", "name"),
        sort_head(JobsState, "Model", "model", class_name="max-xl:hidden"),
        sort_head(JobsState, "Dataset", "dataset", class_name="touch:hidden"),
        sort_head(JobsState, "Status", "status"),
        head_cell("Progress", class_name="touch:hidden"),
        head_cell("Loss", number=True, class_name="touch:hidden"),
        sort_head(JobsState, "Result", "result", number=True, falling=True, class_name="touch:hidden"),
        sort_head(JobsState, "Started", "started_at", number=True, falling=True, class_name="touch:hidden"),
    ]
    rows = table(head, rx.foreach(JobsState.rows, _row), label="Training jobs")
    return rx.fragment(card(rows, padded=False), paging_controls(JobsState, "jobs"))


def _empty() -> rx.Component:
    demo = demo_buttons(JobsState, JobsState.demo_href)
    return empty_state(
        title="No training jobs yet",
        text="Train the demo: a small video model learns four new motions in about a minute, on this machine.",
        action=rx.fragment(demo, button("New training job", icon="plus", href="/jobs/new")),
        icon="activity",
    )


def _compare() -> rx.Component:
    return rx.cond(
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
    )


def _toolbar() -> rx.Component:
    def choice(label: str, options: rx.Var, value: rx.Var, on_change: rx.EventHandler) -> rx.Component:
        return select(options, value=value, on_change=on_change, label=label, muted=True)

    owner = choice("Owner", JobsState.owners, JobsState.owner, JobsState.filter_owner)
    return data_toolbar(
        search_field(value=JobsState.q, on_change=JobsState.search, placeholder="Name, dataset, id"),
        select(
            JobsState.statuses,
            value=rx.cond(JobsState.status == "", "all", JobsState.status),
            on_change=JobsState.filter_status,
            label="Status",
            muted=True,
        ),
        choice("Dataset", JobsState.datasets, JobsState.dataset, JobsState.filter_dataset),
        choice("Model", JobsState.models, JobsState.model, JobsState.filter_model),
        rx.cond(JobsState.owners.length() > 2, owner, rx.fragment()),
        right=[_compare(), sort_select(JobsState, SORTS)],
    )


def jobs_list() -> rx.Component:
    """The list of training jobs."""
    return frame(
        page_header(
            "Training jobs",
            note="Every run, with its curve, its log and its adapter.",
            actions=[button("New training job", variant="primary", icon="plus", href="/jobs/new")],
        ),
        rx.cond(DraftsState.shown, drafts_card(), rx.fragment()),
        rx.cond((JobsState.total > 0) | JobsState.filtered, _toolbar(), rx.fragment()),
        list_content(JobsState, "jobs", _rows(), _empty(), skeleton("h-72 w-full rounded-xl")),
        title="Training jobs",
        active="jobs",
    )
