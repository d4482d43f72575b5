"""The page at `/jobs/compare`: several jobs side by side."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.frame import frame
from orchestrator.states.jobs.compare import Cell, CompareJob, CompareLine, JobCompareState
from orchestrator.ui.charts.curves_chart import curves_chart
from orchestrator.ui.charts.parallel import parallel_coordinates
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import segmented, switch
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import line_sample, swatch
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import loading, skeleton
from orchestrator.ui.primitives.status_chip import status_chip


def _job(job: CompareJob) -> rx.Component:
    return rx.el.li(
        line_sample(job.series, job.dash),
        rx.el.div(
            link(
                long_name(job.name),
                href=f"/jobs/{job.id}",
                muted=False,
                class_name="block min-w-0 text-sm font-medium no-underline",
            ),
            rx.el.p(job.note, class_name="mb-1 truncate font-mono text-xs text-muted-foreground"),
            status_chip(job.status),
            class_name="min-w-0 flex-1",
        ),
        rx.el.span(job.score, class_name="text-sm font-medium whitespace-nowrap tabular"),
        rx.cond(
            JobCompareState.jobs.length() > 1,
            button(
                icon("x", size=14),
                variant="ghost",
                size="icon-sm",
                href=f"/jobs/compare?ids={job.others}",
                aria_label=f"Remove {job.name}",
            ),
            rx.fragment(),
        ),
        key=job.id,
        class_name="flex items-center gap-3 border-t border-border py-2.5 first:border-t-0 first:pt-0",
    )


def _side() -> rx.Component:
    return card(
        rx.el.ul(rx.foreach(JobCompareState.jobs, _job), id="compared"),
        rx.cond(
            JobCompareState.choices,
            rx.el.div(
                select(
                    options=JobCompareState.choices,
                    value="",
                    on_change=JobCompareState.add,
                    placeholder="Add a job",
                    label="Add a job",
                ),
                class_name="mt-4",
            ),
            rx.fragment(),
        ),
        title="Jobs",
        class_name="min-w-0",
    )


def _chart() -> rx.Component:
    choice = rx.el.div(
        rx.el.div(
            segmented(
                JobCompareState.series, label="Curve", value=JobCompareState.shown, on_change=JobCompareState.show
            ),
            class_name="w-max",
        ),
        class_name="mb-4 overflow-x-auto",
    )
    return card(
        rx.cond(JobCompareState.series, choice, rx.fragment()),
        curves_chart(JobCompareState.lines, title=JobCompareState.shown_title),
        class_name="min-w-0",
    )


def _cell(cell: Cell) -> rx.Component:
    tone = rx.cond(cell.differs, "rounded-md bg-primary/12 px-1.5 py-0.5", "")
    return rx.el.td(
        rx.cond(
            cell.best, icon("trophy", size=14, label="best", class_name="mr-1.5 inline text-primary"), rx.fragment()
        ),
        rx.el.span(cell.text, class_name=tone),
        class_name="border-t border-border px-4 py-2.5 text-right font-mono text-xs whitespace-nowrap tabular touch:px-2",
    )


def _line(line: CompareLine) -> rx.Component:
    row = rx.el.tr(
        rx.el.th(
            line.name,
            scope="row",
            class_name="sticky left-0 border-t border-border bg-card px-5 py-2.5 text-left text-sm font-normal whitespace-nowrap touch:px-3 touch:whitespace-normal",
        ),
        rx.foreach(line.cells, _cell),
    )
    return rx.cond(JobCompareState.only_differences & ~line.differs, rx.fragment(), row)


def _head(job: CompareJob) -> rx.Component:
    return rx.el.th(
        rx.el.span(
            swatch(job.series),
            rx.el.span("#", job.id, class_name="font-mono"),
            class_name="inline-flex items-center gap-2",
        ),
        scope="col",
        class_name="px-4 py-2.5 text-right text-xs font-medium text-muted-foreground touch:px-2",
    )


def _table(title: str, first: str, lines: rx.Var, ident: str) -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(
                        first,
                        scope="col",
                        class_name="sticky left-0 bg-card px-5 py-2.5 text-left text-xs font-medium text-muted-foreground touch:px-3",
                    ),
                    rx.foreach(JobCompareState.jobs, _head),
                )
            ),
            rx.el.tbody(rx.foreach(lines, _line)),
            id=ident,
            class_name="w-full border-collapse",
        ),
        tab_index=0,
        role="region",
        aria_label=title,
        class_name="overflow-x-auto focus-ring",
    )


def _tables() -> rx.Component:
    differences = switch("Differences only", checked=JobCompareState.only_differences, on_change=JobCompareState.narrow)
    parallel = card(
        parallel_coordinates(JobCompareState.axes, JobCompareState.jobs.to(list[dict[str, Any]])),
        title="Parallel coordinates",
        note="settings against results",
    )
    return rx.fragment(
        card(_table("Results", "Metric", JobCompareState.metrics, "compare-metrics"), title="Results", padded=False),
        card(
            _table("Parameters", "Parameter", JobCompareState.parameters, "compare-parameters"),
            title="Parameters",
            note=f"{JobCompareState.differing} of {JobCompareState.parameters.length()} differ",
            actions=differences,
            padded=False,
        ),
        rx.cond(JobCompareState.axes, parallel, rx.fragment()),
    )


def _body() -> rx.Component:
    nothing = empty_state(
        title="Nothing to compare",
        text=JobCompareState.problem,
        action=button("All training jobs", href="/jobs", variant="primary"),
        icon="git-compare",
    )
    full = rx.fragment(
        rx.el.div(_chart(), _side(), class_name="grid gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]"),
        _tables(),
    )
    return rx.cond(JobCompareState.problem, nothing, full)


def compare() -> rx.Component:
    """Up to twenty jobs side by side."""
    stop = alert_dialog(
        title="Stop this sweep?",
        description="Waiting jobs stop at once, running ones after their current step. What they trained stays.",
        confirm="Stop the sweep",
        cancel="Let it run",
        on_confirm=JobCompareState.stop_sweep,
        opener=button("Stop the sweep", variant="destructive", icon="circle-stop", id="sweep-stop"),
    )
    return frame(
        page_header(
            rx.cond(JobCompareState.sweep_id, f"Sweep {JobCompareState.sweep_name}", JobCompareState.headline),
            note=rx.cond(
                JobCompareState.sweep_id,
                JobCompareState.sweep_note,
                "Curves on one plot, differing parameters, and results.",
            ),
            actions=[rx.cond(JobCompareState.sweep_id & JobCompareState.sweep_active, stop, rx.fragment())],
        ),
        rx.cond(
            JobCompareState.loaded,
            _body(),
            loading(skeleton("h-112 rounded-xl"), skeleton("h-72 rounded-xl"), label="Loading the jobs"),
        ),
        title="Compare",
        active="jobs",
        breadcrumb=[("Training jobs", "/jobs")],
    )
