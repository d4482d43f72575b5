"""The device card of a running job."""

import reflex as rx

from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.device import Gauge
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.progress import progress

device = JobDetailState.device


def _line(word: rx.Var[str] | str, value: rx.Var[str], bar: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.span(word, class_name="text-muted-foreground"),
        bar,
        rx.el.span(value, class_name="text-right tabular whitespace-nowrap"),
        class_name="grid grid-cols-[3.5rem_minmax(0,1fr)_8.5rem] items-center gap-2 text-xs",
    )


def _gauge(item: rx.Var[Gauge]) -> rx.Component:
    run = _line(
        "This job",
        item.run,
        progress(item.run_percent, label=item.label + " of this job", series=JobDetailState.head.series),
    )
    return rx.el.div(
        rx.el.h3(item.label, class_name="text-xs font-medium"),
        rx.cond(item.run != "", run, rx.fragment()),
        _line(
            item.total_word,
            item.total,
            progress(item.total_percent, label=item.label + " of the whole " + item.total_word.lower(), tone="muted"),
        ),
        key=item.label,
        class_name="flex flex-col gap-1",
    )


def device_card() -> rx.Component:
    """What the run takes, and what its whole machine does; nothing once the job has ended."""
    waiting = rx.el.p(
        rx.cond(
            device.worker == "",
            "The job has no worker yet.",
            "The first figures come a few seconds after the start.",
        ),
        class_name="text-sm text-muted-foreground",
    )
    return card(
        rx.cond(
            JobDetailState.device_load.length() > 0,
            rx.el.div(rx.foreach(JobDetailState.device_load, _gauge), class_name="flex flex-col gap-3"),
            waiting,
        ),
        title="Device",
        note=rx.cond(device.device != "", device.device, device.worker),
        id="job-device",
        class_name="min-w-0",
    )
