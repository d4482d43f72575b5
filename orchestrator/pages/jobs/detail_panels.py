"""The other tabs of a job: metrics, logs, system, settings, timeline."""

from typing import Any, Literal

import reflex as rx

from orchestrator.states.jobs.detail import JobDetail
from orchestrator.states.jobs.metric_cards import CurveLine
from orchestrator.states.jobs.new_rows import ReviewRow
from orchestrator.states.jobs.rows import EventLine
from orchestrator.ui.charts.loss_chart import loss_chart
from orchestrator.ui.patterns.cards import timeline, timeline_item
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import data_toolbar, search_box
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.log_view import log_view
from orchestrator.ui.primitives.pick import pick
from orchestrator.ui.primitives.table import cell, row, table

head = JobDetail.head
LEVELS = [("all", "All"), ("warning", "Warnings"), ("error", "Errors")]


def _curve(line: CurveLine) -> rx.Component:
    return rx.el.div(
        card(
            loss_chart(
                points=JobDetail.points.to(dict[str, Any]),
                history=JobDetail.history,
                total_steps=JobDetail.total_steps,
                series=head.hue,
                live=head.active,
                on_gap=JobDetail.refill,
                title=line.title,
                train_key=line.train,
                eval_key=line.held,
                train_word=line.word,
                eval_word=line.word,
                unit=line.unit,
                refine=f"/api/v1/jobs/{head.id}/metrics",
                smoothing=0.0,
                height=220,
            )
        ),
        key=line.title,
        class_name="min-w-0",
    )


def metrics_panel() -> rx.Component:
    """A chart for each measure of the task, then for what drives the training."""
    return rx.el.div(rx.foreach(JobDetail.curves, _curve), class_name="grid gap-4 pt-4 lg:grid-cols-2", id="metrics")


def _machine(title: str, mine: str, whole: str, unit: Literal["percent", "bytes"]) -> rx.Component:
    return card(
        loss_chart(
            points=JobDetail.system.to(dict[str, Any]),
            history=JobDetail.telemetry,
            series=head.hue,
            live=head.active,
            on_gap=JobDetail.read_system,
            title=title,
            train_key=mine,
            eval_key=whole,
            train_word="This run",
            eval_word="The whole machine",
            unit=unit,
            axis="seconds",
            smoothing=0.0,
            height=220,
        ),
        class_name="min-w-0",
    )


def system_panel() -> rx.Component:
    """What the run takes of its machine, and what the machine does besides."""
    gpu = rx.fragment(
        _machine("GPU busy", "gpu", "none", "percent"), _machine("GPU memory", "gpu_memory", "none", "bytes")
    )
    return rx.el.div(
        _machine("Processor", "cpu", "machine_cpu", "percent"),
        _machine("Memory", "memory", "machine_memory", "bytes"),
        rx.cond(JobDetail.has_gpu, gpu, rx.fragment()),
        class_name="grid gap-4 pt-4 lg:grid-cols-2",
        id="system",
    )


def log_panel() -> rx.Component:
    """The whole log, newest page first; searched on the server, since it may be long."""
    older = rx.cond(
        JobDetail.older >= 0,
        button("Older lines", size="sm", icon="chevron-up", on_click=JobDetail.older_lines),
        rx.el.span("from the first line", class_name="text-xs text-muted-foreground"),
    )
    found = rx.cond(
        (JobDetail.log_words != "") | (JobDetail.log_level != "all"),
        "No line fits.",
        "The log begins when a worker takes the job.",
    )
    tools = data_toolbar(
        search_box(value=JobDetail.log_words, on_change=JobDetail.search_log, placeholder="Search the log"),
        pick(LEVELS, label="Level", value=JobDetail.log_level, on_change=JobDetail.choose_level),
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
                JobDetail.lines.to(list[dict[str, Any]]),
                height="32rem",
                empty=found,
                mark=JobDetail.log_words,
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
            table(["Part", "Setting", "Value"], rx.foreach(JobDetail.settings, _setting), label="Settings of this job"),
            title="Settings",
            note="frozen at launch",
            padded=False,
        ),
        class_name="pt-4",
    )


MARKS = (
    ("queued", "clock", "bg-muted text-muted-foreground"),
    ("requeued", "rotate-ccw", "bg-info/13 text-info"),
    ("suspended", "pause", "bg-warning/13 text-warning"),
    ("starting", "play", "bg-primary/13 text-primary"),
    ("running", "activity", "bg-primary/13 text-primary"),
    ("completed", "circle-check", "bg-success/13 text-success"),
    ("failed", "circle-x", "bg-destructive/13 text-destructive"),
    ("lost", "unplug", "bg-warning/13 text-warning"),
    ("memory", "rotate-ccw", "bg-warning/13 text-warning"),
    ("saved", "flag", "bg-success/13 text-success"),
    ("stopping", "circle-stop", "bg-muted text-muted-foreground"),
    ("stopped", "circle-stop", "bg-muted text-muted-foreground"),
)


def _mark(name: str, tone: str) -> rx.Component:
    look = "z-10 flex size-6 shrink-0 items-center justify-center rounded-full"
    return rx.el.span(icon(name, size=14), class_name=f"{look} {tone}")


def _event(line: EventLine) -> rx.Component:
    marks = [(kind, _mark(name, tone)) for kind, name, tone in MARKS]
    mark = rx.match(line.kind, *marks, _mark("circle-dot", "bg-muted text-muted-foreground"))
    return timeline_item(rx.el.span(line.message), relative_time(line.at), mark=mark)


def timeline_panel() -> rx.Component:
    """What happened to the job, newest first."""
    return rx.el.div(card(timeline(rx.foreach(JobDetail.events, _event)), title="Timeline"), class_name="pt-4")
