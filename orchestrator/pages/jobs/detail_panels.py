"""The other tabs of a job: metrics, logs, system, settings, timeline."""

from typing import Any, Literal

import reflex as rx

from orchestrator.pages.jobs.detail_charts import run_chart, telemetry_chart
from orchestrator.pages.shared.job_links import event_mark
from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.metric_cards import CurveLine
from orchestrator.states.jobs.new_rows import ReviewRow
from orchestrator.states.jobs.rows import EventLine
from orchestrator.ui.patterns.cards import timeline, timeline_item
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import data_toolbar, search_field
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.log_view import log_view
from orchestrator.ui.primitives.pick import pick
from orchestrator.ui.primitives.table import cell, row, table

head = JobDetailState.head
LEVELS = [("all", "All"), ("warning", "Warnings"), ("error", "Errors")]


def _curve(line: CurveLine) -> rx.Component:
    chart = run_chart(
        title=line.title,
        train_key=line.train,
        eval_key=line.validation,
        train_word=line.word,
        eval_word=line.word,
        unit=line.unit,
        smoothing=0.0,
        height=220,
    )
    return rx.el.div(card(chart), key=line.title, class_name="min-w-0")


def metrics_panel() -> rx.Component:
    """A chart for each metric of the task, then learning rate, gradient norm and speed."""
    return rx.el.div(
        rx.foreach(JobDetailState.curves, _curve), class_name="grid gap-4 pt-4 lg:grid-cols-2", id="metrics"
    )


def _telemetry(title: str, run_key: str, machine_key: str, unit: Literal["percent", "bytes"]) -> rx.Component:
    chart = telemetry_chart(
        title,
        run_key,
        machine_key,
        points=JobDetailState.system.to(dict[str, Any]),
        live=head.active,
        on_gap=JobDetailState.read_system,
        unit=unit,
        height=220,
    )
    return card(chart, class_name="min-w-0")


def system_panel() -> rx.Component:
    """What the run uses of its machine, and the use of the whole machine."""
    gpu = rx.fragment(
        _telemetry("GPU busy", "gpu", "none", "percent"), _telemetry("GPU memory", "gpu_memory", "none", "bytes")
    )
    return rx.el.div(
        _telemetry("Processor", "cpu", "machine_cpu", "percent"),
        _telemetry("Memory", "memory", "machine_memory", "bytes"),
        rx.cond(JobDetailState.has_gpu, gpu, rx.fragment()),
        class_name="grid gap-4 pt-4 lg:grid-cols-2",
        id="system",
    )


def log_panel() -> rx.Component:
    """The log, from its end; searched on the server, since it may be long."""
    older = rx.cond(
        JobDetailState.older >= 0,
        button("Older lines", size="sm", icon="chevron-up", on_click=JobDetailState.older_lines),
        rx.el.span("from the first line", class_name="text-xs text-muted-foreground"),
    )
    found = rx.cond(
        (JobDetailState.log_query != "") | (JobDetailState.log_level != "all"),
        "No line matches.",
        "The log begins when a worker takes the job.",
    )
    tools = data_toolbar(
        search_field(value=JobDetailState.log_query, on_change=JobDetailState.search_log, placeholder="Search the log"),
        pick(LEVELS, label="Level", value=JobDetailState.log_level, on_change=JobDetailState.choose_level),
        right=[
            older,
            button(
                "Download",
                size="sm",
                icon="download",
                href=f"/api/v1/jobs/{head.id}/log.txt",
                download=True,
                id="log-download",
            ),
        ],
    )
    return rx.el.div(
        card(
            tools,
            log_view(
                JobDetailState.lines.to(list[dict[str, Any]]),
                height="32rem",
                empty=found,
                mark=JobDetailState.log_query,
                pausable=head.active,
                class_name="mt-4",
            ),
        ),
        class_name="pt-4",
    )


def _setting(line: ReviewRow) -> rx.Component:
    return row(
        cell(line.group, muted=True, class_name="touch:hidden"),
        cell(line.label),
        cell(line.value, class_name="font-mono text-xs break-words"),
    )


def settings_panel() -> rx.Component:
    """The recipe as it was launched; it never changes."""
    return rx.el.div(
        card(
            table(
                ["Part", "Setting", "Value"],
                rx.foreach(JobDetailState.settings, _setting),
                label="Settings of this job",
            ),
            title="Settings",
            note="frozen at launch",
            padded=False,
        ),
        class_name="pt-4",
    )


def _event(line: EventLine) -> rx.Component:
    return timeline_item(rx.el.span(line.message), relative_time(line.at), mark=event_mark(line.kind))


def timeline_panel() -> rx.Component:
    """The events of the job, newest first."""
    return rx.el.div(card(timeline(rx.foreach(JobDetailState.events, _event)), title="Timeline"), class_name="pt-4")
