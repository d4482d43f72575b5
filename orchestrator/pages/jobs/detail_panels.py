"""The other tabs of a job: metrics, logs, settings, timeline."""

from typing import Any

import reflex as rx

from orchestrator.states.job_detail import JobDetail
from orchestrator.states.job_form_rows import ReviewRow
from orchestrator.states.job_rows import EventLine
from orchestrator.ui.charts.loss_chart import loss_chart
from orchestrator.ui.kit import Text
from orchestrator.ui.patterns.cards import timeline, timeline_item
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.log_view import log_view
from orchestrator.ui.primitives.table import cell, row, table

head = JobDetail.head
CURVES: tuple[tuple[Text, str, Text], ...] = (
    (JobDetail.measure_label, "none", JobDetail.measure),
    ("Learning rate", "learning_rate", "none"),
    ("Gradient norm", "grad_norm", "none"),
    ("Clips a second", "samples_per_s", "none"),
)


def _curve(title: Text, train: str, held: Text) -> rx.Component:
    return card(
        loss_chart(
            points=JobDetail.points.to(dict[str, Any]),
            history=JobDetail.history,
            total_steps=JobDetail.total_steps,
            series=head.hue,
            live=head.active,
            on_gap=JobDetail.refill,
            title=title,
            train_key=train,
            eval_key=held,
            smoothing=0.0,
            height=200,
        )
    )


def metrics_panel() -> rx.Component:
    """A chart for each of the other series."""
    return rx.el.div(*[_curve(*curve) for curve in CURVES], class_name="grid gap-4 pt-4 lg:grid-cols-2")


def log_panel() -> rx.Component:
    """The whole log, newest page first."""
    older = rx.cond(
        JobDetail.older >= 0,
        button("Older lines", size="sm", icon="chevron-up", on_click=JobDetail.older_lines),
        rx.el.span("from the first line", class_name="text-xs text-muted-foreground"),
    )
    return rx.el.div(
        card(
            log_view(
                JobDetail.lines.to(list[dict[str, Any]]),
                height="32rem",
                empty="The log begins when a worker takes the job.",
            ),
            title="Log",
            actions=older,
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
