"""Links to jobs on the pages of what they used, and the marks of a job's events."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import swatch

_EVENT_MARKS = (
    ("queued", "clock", "bg-muted text-muted-foreground"),
    ("requeued", "rotate-ccw", "bg-info/13 text-info"),
    ("suspended", "pause", "bg-warning/13 text-warning"),
    ("waited", "pause", "bg-warning/13 text-warning"),
    ("starting", "play", "bg-primary/13 text-primary"),
    ("running", "circle-play", "bg-primary/13 text-primary"),
    ("best", "trophy", "bg-primary/13 text-primary"),
    ("completed", "circle-check", "bg-success/13 text-success"),
    ("failed", "circle-x", "bg-destructive/13 text-destructive"),
    ("lost", "unplug", "bg-warning/13 text-warning"),
    ("memory", "rotate-ccw", "bg-warning/13 text-warning"),
    ("exported", "trophy", "bg-primary/13 text-primary"),
    ("freed", "trash-2", "bg-muted text-muted-foreground"),
    ("saved", "flag", "bg-success/13 text-success"),
    ("stopping", "circle-stop", "bg-muted text-muted-foreground"),
    ("stopped", "circle-stop", "bg-muted text-muted-foreground"),
)
"""Kind of an event, icon, colours."""


def demo_buttons(state: Any, href: rx.Var[str]) -> rx.Component:
    """Launches the demo with its defaults, or opens the wizard with it; `state` mixes in `DemoLaunch`."""
    return rx.cond(
        href != "",
        rx.fragment(
            button(
                "Train the demo",
                variant="primary",
                icon="play",
                loading=state.launching_demo,
                disabled=state.launching_demo,
                on_click=state.train_demo.throttle(1500),
                id="train-demo",
            ),
            button("Change its settings first", href=href, id="demo-settings"),
        ),
        rx.fragment(),
    )


def job_link(job: Any, *more: Child) -> rx.Component:
    """A list item with a job's colour and name; `job` has `id`, `name` and `series`. `more` comes after the name."""
    return rx.el.li(
        swatch(job.series),
        link(long_name(job.name), href=f"/jobs/{job.id}", class_name="min-w-0"),
        *more,
        class_name="flex items-center gap-2 text-sm",
    )


def event_mark(kind: rx.Var[str]) -> rx.Component | rx.Var[Any]:
    """The round icon of a job's event in a timeline."""

    def mark(name: str, tint: str) -> rx.Component:
        look = "z-10 flex size-6 shrink-0 items-center justify-center rounded-full"
        # The tint is translucent: without an opaque background the timeline's rule would show through.
        return rx.el.span(
            rx.el.span(icon(name, size=14), class_name=f"{look} {tint}"), class_name="z-10 h-6 rounded-full bg-card"
        )

    marks = [(event, mark(name, tint)) for event, name, tint in _EVENT_MARKS]
    return rx.match(kind, *marks, mark("circle-dot", "bg-muted text-muted-foreground"))
