"""The panel at the top of a failed job: why it failed, what to do, its memory, attempts and last log lines."""

from typing import Any

import reflex as rx

from orchestrator.pages.jobs.detail_charts import telemetry_chart
from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import Variant, button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.log_view import log_view

head = JobDetailState.head
smaller = head.smaller_batch > 0


def _fact(label: str, value: rx.Var | str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(label, class_name="text-xs text-muted-foreground"),
        rx.el.dd(value, class_name="text-sm"),
        class_name="border-b border-border pb-2 last:border-0",
    )


def _clone(variant: Variant) -> rx.Component:
    """The main action where the failure offers no other one."""
    return button("Clone with changes", variant=variant, icon="copy", href=f"/jobs/new?clone={head.id}")


def _actions() -> rx.Component:
    return rx.el.div(
        rx.el.h3("What to do", class_name="text-sm font-semibold"),
        rx.el.p(
            rx.cond(
                smaller,
                rx.cond(
                    head.contrasts,
                    f"A batch of {head.smaller_batch} takes less memory, but changes the training: each clip is compared "
                    "with fewer others.",
                    f"A batch of {head.smaller_batch}, accumulated {head.smaller_accumulation} times, trains the same "
                    "in less memory.",
                ),
                rx.cond(
                    head.lost_repeatedly,
                    "The run itself did not fail. Find out what ends processes on that machine, then resume it: "
                    "it continues from its last checkpoint.",
                    "Correct the cause, then launch it again: the clone keeps every other setting.",
                ),
            ),
            class_name="mt-1 text-sm text-muted-foreground",
        ),
        rx.el.div(
            rx.cond(
                smaller,
                button(
                    f"Retry with a batch of {head.smaller_batch}",
                    variant="primary",
                    icon="rotate-ccw",
                    on_click=JobDetailState.retry_smaller,
                    id="job-retry-smaller",
                ),
                rx.fragment(),
            ),
            rx.cond(
                head.lost_repeatedly,
                button("Resume", variant="primary", icon="play", on_click=JobDetailState.resume),
                rx.fragment(),
            ),
            rx.cond(smaller | head.lost_repeatedly, _clone("outline"), _clone("primary")),
            button("All lines", variant="outline", on_click=JobDetailState.show_tab("logs")),
            class_name="mt-3 flex flex-wrap gap-2",
        ),
        class_name="min-w-0 flex-1 basis-80",
    )


def _memory() -> rx.Component:
    """The memory of the run until it failed."""
    return rx.el.div(
        telemetry_chart(
            "Memory until the end",
            rx.cond(JobDetailState.has_gpu, "gpu_memory", "memory"),
            rx.cond(JobDetailState.has_gpu, "none", "machine_memory"),
            live=False,
            unit="bytes",
            height=200,
        ),
        id="failure-memory",
        class_name="border-t border-border p-5 touch:p-4",
    )


def _attempts() -> rx.Component:
    """The events that ended each attempt."""
    line = rx.foreach(
        JobDetailState.losses,
        lambda event: rx.el.li(
            rx.el.span(event.message, class_name="min-w-0 flex-1"),
            rx.el.span(relative_time(event.at), class_name="shrink-0 text-muted-foreground"),
            class_name="flex gap-4 border-t border-border py-2 first:border-t-0",
        ),
    )
    return rx.el.div(
        rx.el.h3("Attempts so far", class_name="mb-1 text-sm font-semibold"),
        rx.el.ol(line, class_name="text-sm"),
        id="failure-attempts",
        class_name="border-t border-border p-5 touch:p-4",
    )


def failure_panel() -> rx.Component:
    """The reason first, then what to do."""
    return rx.el.section(
        rx.el.div(
            rx.el.span(
                icon("circle-x", size=18),
                class_name="flex size-9 shrink-0 items-center justify-center rounded-full bg-destructive/13 text-destructive",
            ),
            rx.el.div(
                rx.el.h2("Why it failed", class_name="text-base font-semibold"),
                rx.el.p(head.error, class_name="mt-1 text-sm break-words", id="job-error"),
                class_name="min-w-0",
            ),
            class_name="flex gap-4 bg-destructive/8 p-5 touch:p-4",
        ),
        rx.el.div(
            _actions(),
            rx.el.dl(
                _fact(
                    "Ended at",
                    rx.fragment("step ", JobDetailState.progress.step, " of ", JobDetailState.progress.total),
                ),
                _fact("Ran", rx.cond(head.ran, head.ran, "not at all")),
                rx.cond(head.memory_at_end, _fact("Memory at the end", head.memory_at_end), rx.fragment()),
                _fact("Attempts", head.attempt),
                class_name="flex min-w-44 flex-col gap-2",
            ),
            class_name="flex flex-wrap justify-between gap-6 border-t border-destructive/45 p-5 touch:p-4",
        ),
        rx.cond(JobDetailState.has_memory_curve, _memory(), rx.fragment()),
        rx.cond(JobDetailState.losses.length() > 1, _attempts(), rx.fragment()),
        rx.el.div(
            rx.el.h3("Last lines", class_name="mb-3 text-sm font-semibold"),
            log_view(
                JobDetailState.tail.to(list[dict[str, Any]]),
                height="10rem",
                label="Last lines",
                empty="No log output.",
            ),
            rx.cond(
                head.error_details,
                rx.el.details(
                    rx.el.summary("Technical details", class_name="mt-3 text-sm text-muted-foreground"),
                    rx.el.pre(
                        head.error_details,
                        tab_index=0,
                        class_name="mt-2 max-h-72 overflow-auto rounded-lg bg-background p-4 font-mono text-xs",
                    ),
                ),
                rx.fragment(),
            ),
            class_name="border-t border-border p-5 touch:p-4",
        ),
        role="alert",
        id="job-failure",
        class_name="overflow-hidden rounded-xl border border-destructive/45 bg-card",
    )
