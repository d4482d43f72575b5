"""What stands on top of a failed job: what happened, the last lines, what to do."""

from typing import Any

import reflex as rx

from orchestrator.states.jobs.detail import JobDetail
from orchestrator.ui.charts.loss_chart import loss_chart
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import Variant, button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.log_view import log_view

head = JobDetail.head
smaller = head.smaller_batch > 0


def _fact(label: str, value: rx.Var | str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(label, class_name="text-xs text-muted-foreground"),
        rx.el.dd(value, class_name="text-sm"),
        class_name="border-b border-border pb-2 last:border-0",
    )


def _clone(variant: Variant) -> rx.Component:
    """The way on where the failure offers no quicker one."""
    return button("Clone with changes", variant=variant, icon="copy", href=f"/jobs/new?clone={head.id}")


def _ways_on() -> rx.Component:
    return rx.el.div(
        rx.el.h3("What to do", class_name="text-sm font-semibold"),
        rx.el.p(
            rx.cond(
                smaller,
                rx.cond(
                    head.contrasts,
                    f"A batch of {head.smaller_batch} takes less memory, but trains otherwise: each clip is told apart "
                    "from fewer others.",
                    f"A batch of {head.smaller_batch}, accumulated {head.smaller_accumulation} times, trains the same "
                    "in less memory.",
                ),
                rx.cond(
                    head.taken,
                    "The run itself did nothing wrong. Find out what ends processes on that machine, then resume it: "
                    "it goes on from its last checkpoint.",
                    "Change what stood in the way, then launch again: the clone keeps every other setting.",
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
                    on_click=JobDetail.retry_smaller,
                    id="job-retry-smaller",
                ),
                rx.fragment(),
            ),
            rx.cond(
                head.taken,
                button("Resume", variant="primary", icon="play", on_click=JobDetail.resume),
                rx.fragment(),
            ),
            rx.cond(smaller | head.taken, _clone("outline"), _clone("primary")),
            button("All lines", variant="outline", on_click=JobDetail.show_tab("logs")),
            class_name="mt-3 flex flex-wrap gap-2",
        ),
        class_name="min-w-0 flex-1 basis-80",
    )


def _memory() -> rx.Component:
    """What the run took of its machine until it died: a climb to the ceiling says more than a sentence."""
    return rx.el.div(
        loss_chart(
            history=JobDetail.telemetry,
            series=head.hue,
            live=False,
            title="Memory until the end",
            train_key=rx.cond(JobDetail.has_gpu, "gpu_memory", "memory"),
            eval_key=rx.cond(JobDetail.has_gpu, "none", "machine_memory"),
            train_word="This run",
            eval_word="The whole machine",
            unit="bytes",
            axis="seconds",
            smoothing=0.0,
            height=200,
        ),
        id="autopsy-memory",
        class_name="border-t border-border p-5 touch:p-4",
    )


def _attempts() -> rx.Component:
    """What took the earlier attempts, and this one."""
    line = rx.foreach(
        JobDetail.losses,
        lambda event: rx.el.li(
            rx.el.span(event.message, class_name="min-w-0 flex-1"),
            rx.el.span(relative_time(event.at), class_name="shrink-0 text-muted-foreground"),
            class_name="flex gap-4 border-t border-border py-2 first:border-t-0",
        ),
    )
    return rx.el.div(
        rx.el.h3("Attempts so far", class_name="mb-1 text-sm font-semibold"),
        rx.el.ol(line, class_name="text-sm"),
        id="autopsy-attempts",
        class_name="border-t border-border p-5 touch:p-4",
    )


def autopsy() -> rx.Component:
    """The reason first, in words."""
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
            _ways_on(),
            rx.el.dl(
                _fact("Ended at", rx.fragment("step ", JobDetail.progress.step, " of ", JobDetail.progress.total)),
                _fact("Ran", rx.cond(head.ran, head.ran, "not at all")),
                rx.cond(head.memory_at_end, _fact("Memory at the end", head.memory_at_end), rx.fragment()),
                _fact("Starts", head.attempt),
                class_name="flex min-w-44 flex-col gap-2",
            ),
            class_name="flex flex-wrap justify-between gap-6 border-t border-destructive/45 p-5 touch:p-4",
        ),
        rx.cond(JobDetail.remembers_memory, _memory(), rx.fragment()),
        rx.cond(JobDetail.losses.length() > 1, _attempts(), rx.fragment()),
        rx.el.div(
            rx.el.h3("Last lines", class_name="mb-3 text-sm font-semibold"),
            log_view(
                JobDetail.tail.to(list[dict[str, Any]]), height="10rem", label="Last lines", empty="It wrote no line."
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
        id="autopsy",
        class_name="overflow-hidden rounded-xl border border-destructive/45 bg-card",
    )
