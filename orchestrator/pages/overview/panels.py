"""The panels below the active jobs: workers, counts, ended jobs, events."""

import reflex as rx

from orchestrator.pages.shared.gauges import gauge, job_bar
from orchestrator.pages.shared.job_links import event_mark
from orchestrator.states.overview.index import OverviewState as State
from orchestrator.states.overview.rows import EventLine, RecentJob
from orchestrator.states.workers.rows import DeviceLine
from orchestrator.ui.charts.sparkline import sparkline
from orchestrator.ui.patterns.cards import stat_card, timeline, timeline_item
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import swatch
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.table import cell, head_cell, row, table

_QUIET = "text-sm text-muted-foreground no-underline hover:text-foreground hover:underline"


def _device(line: rx.Var[DeviceLine]) -> rx.Component:
    name = rx.el.div(
        rx.el.p(
            rx.el.span(line.device, class_name="font-mono font-medium"),
            rx.el.span(line.kind, class_name="ml-2 text-muted-foreground"),
            class_name="text-sm",
        ),
        rx.el.p(
            rx.cond(line.series > 0, swatch(line.series, size=8), rx.fragment()),
            rx.el.span(line.doing, class_name="truncate"),
            class_name="mt-0.5 flex items-center gap-1.5 text-xs "
            + rx.cond(line.alive, "text-muted-foreground", "text-warning"),
        ),
        class_name="min-w-0",
    )
    memory = rx.fragment(line.memory, rx.el.span(" / ", line.memory_total, class_name="text-muted-foreground"))
    return rx.el.li(
        name,
        gauge("Memory", memory, job_bar(line.memory_percent, line.series, "Memory of " + line.key)),
        gauge(
            line.busy_label,
            line.busy,
            job_bar(line.busy_percent, line.series, line.busy_label + " of " + line.key),
            sparkline(
                line.busy_curve,
                series=1,
                color="var(--muted-foreground)",
                height=28,
                label=line.busy_label + ", the last five minutes",
                low=0.0,
                high=1.0,
            ),
        ),
        key=line.key,
        class_name="grid gap-x-6 gap-y-3 border-t border-border py-4 first:border-t-0 first:pt-0 last:pb-0 sm:grid-cols-[1fr_1.4fr_1fr]",
    )


def devices() -> rx.Component:
    """The workers."""
    none = rx.el.p(
        "No worker is running. Start one with ./loreel worker; jobs wait in the queue until then.",
        class_name="text-sm text-muted-foreground",
    )
    return card(
        rx.cond(
            State.devices.length() > 0,
            rx.el.ul(rx.foreach(State.devices, _device)),
            none,
        ),
        title="Devices",
        note=rx.cond(State.devices.length() > 0, State.devices[0].host, ""),
        class_name="min-w-0 lg:col-span-3",
    )


def counts() -> rx.Component:
    """Four counts."""
    figures = State.figures
    return rx.el.div(
        stat_card("Datasets", figures.datasets, figures.datasets_note, "film"),
        stat_card("Models", figures.models, figures.models_note, "boxes"),
        stat_card("Adapters", figures.adapters, figures.adapters_note, "layers"),
        stat_card("Training jobs", figures.jobs, figures.jobs_note, "activity"),
        class_name="grid grid-cols-2 gap-4 lg:col-span-2",
    )


def _recent(job: rx.Var[RecentJob]) -> rx.Component:
    return row(
        cell(
            rx.el.span(
                swatch(job.series),
                link(
                    long_name(job.name),
                    href=f"/jobs/{job.id}",
                    muted=False,
                    class_name="min-w-0 font-medium no-underline hover:underline",
                ),
                rx.el.span("#", job.id, class_name="font-mono text-xs text-muted-foreground"),
                class_name="flex min-w-0 items-center gap-2",
            ),
        ),
        cell(status_chip(job.status)),
        cell(job.dataset, muted=True, class_name="max-sm:hidden"),
        cell(job.progress, number=True, class_name="max-sm:hidden"),
        cell(job.loss, number=True, class_name="max-sm:hidden"),
        cell(job.headline, number=True, class_name="max-sm:hidden"),
        key=job.id,
    )


def recent_jobs() -> rx.Component:
    """Ended jobs, the last one first."""
    rows = table(
        [
            "Job",
            "Status",
            head_cell("Dataset", class_name="max-sm:hidden"),
            head_cell("Progress", number=True, class_name="max-sm:hidden"),
            head_cell("Loss", number=True, class_name="max-sm:hidden"),
            head_cell("Result", number=True, class_name="max-sm:hidden"),
        ],
        rx.foreach(State.recent, _recent),
        label="Recent jobs",
    )
    none = rx.el.p(
        "Your first job is still running. It will appear here when it finishes.",
        class_name="px-5 pb-5 text-sm text-muted-foreground touch:px-4",
    )
    return card(
        rx.cond(State.recent.length() > 0, rows, none),
        title="Recent jobs",
        note=f"{State.figures.jobs} in all",
        actions=link("All jobs", href="/jobs", muted=False, class_name=_QUIET),
        padded=False,
        class_name="min-w-0 lg:col-span-2",
    )


def _event(line: rx.Var[EventLine]) -> rx.Component:
    name = link(
        line.job_name,
        href=f"/jobs/{line.job_id}",
        muted=False,
        class_name="font-medium text-foreground no-underline hover:underline",
    )
    return timeline_item(
        rx.fragment(name, rx.el.span(line.message, class_name="block")),
        relative_time(line.at),
        mark=event_mark(line.kind),
    )


def activity() -> rx.Component:
    """The last events."""
    return card(timeline(rx.foreach(State.events, _event)), title="Activity", class_name="min-w-0")
