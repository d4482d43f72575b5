"""The foot of the sidebar: the workers and their memory."""

import reflex as rx

from orchestrator.pages.shared.gauges import job_bar
from orchestrator.states.shell.worker_status import WorkerStatusState as State
from orchestrator.states.workers.rows import DeviceLine


def _line(line: rx.Var[DeviceLine]) -> rx.Component:
    label = line.device + ", memory in use"
    return rx.el.li(
        rx.el.div(
            rx.el.span(line.device, class_name="truncate font-mono"),
            rx.el.span(
                line.memory,
                rx.el.span(" / ", line.memory_total, class_name="text-muted-foreground"),
                class_name="shrink-0 tabular",
            ),
            class_name="flex justify-between gap-2",
        ),
        job_bar(line.memory_percent, line.series, label, height=4),
        key=line.key,
        class_name="flex flex-col gap-1",
    )


def worker_status() -> rx.Component:
    """Empty until the workers were read."""
    return rx.cond(
        State.loaded,
        rx.el.div(
            rx.el.p(
                rx.el.span(
                    aria_hidden=True,
                    class_name="size-1.5 shrink-0 rounded-full " + rx.cond(State.alive, "bg-success", "bg-warning"),
                ),
                rx.el.span(State.host, class_name="truncate font-medium text-foreground"),
                rx.el.span(State.note, class_name="ml-auto shrink-0 text-muted-foreground"),
                class_name="flex items-center gap-2",
            ),
            rx.cond(
                State.lines.length() > 0,
                rx.el.ul(rx.foreach(State.lines, _line), class_name="mt-2.5 flex flex-col gap-2"),
                rx.fragment(),
            ),
            class_name="rounded-lg border border-border p-3 text-xs",
        ),
        rx.fragment(),
    )
