"""The foot of the sidebar: the machines that train, in three thin lines."""

import reflex as rx

from orchestrator.states.shell.worker_status import MachinesState as State
from orchestrator.states.workers.rows import DeviceLine
from orchestrator.ui.primitives.progress import progress


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
        rx.cond(
            line.series > 0,
            progress(line.memory_percent, label=label, series=line.series, height=4),
            progress(line.memory_percent, label=label, tone="muted", height=4),
        ),
        key=line.key,
        class_name="flex flex-col gap-1",
    )


def machines() -> rx.Component:
    """Nothing until the first look."""
    return rx.cond(
        State.ready,
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
