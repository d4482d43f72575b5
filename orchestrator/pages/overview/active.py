"""The active jobs as live cards; before the first job, the demo."""

import reflex as rx

from orchestrator.pages.shared.job_links import demo_buttons
from orchestrator.states.overview.index import OverviewState as State
from orchestrator.states.overview.rows import ActiveCard
from orchestrator.ui.patterns.cards import job_card, metric, metrics
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon


def _card(card: rx.Var[ActiveCard]) -> rx.Component:
    now = State.live[card.id]
    return rx.el.li(
        job_card(
            name=card.name,
            job_id=card.id,
            href=f"/jobs/{card.id}",
            status=card.status,
            series=card.series,
            percent=now.percent,
            note=card.subject,
            time_left=rx.el.span(now.time_left, class_name="block min-h-5 tabular"),
            losses=State.curves[card.id],
            figures=metrics(
                metric("Step", now.step, rx.cond(now.total, f"/ {now.total}", "")),
                metric("Epoch", now.epoch, f"/ {card.epochs}"),
                metric("Loss", now.loss),
                metric("Result", now.headline),
            ),
        ),
        key=card.id,
        class_name="min-w-0 only:md:col-span-2",
    )


def _demo() -> rx.Component:
    """No job was ever launched: one click to the demo."""
    return empty_state(
        title="Train the demo in one click",
        text=rx.cond(
            State.demo.waiting,
            "The demo clips are being drawn, which takes a moment. The button then appears by itself.",
            "A small set of moving shapes and a tiny base model are ready. Watch the loss fall, then add your own clips.",
        ),
        action=rx.fragment(
            demo_buttons(State, State.demo.href),
            button("Add a dataset", icon="plus", href="/datasets/new"),
        ),
        icon="clapperboard",
    )


def _idle() -> rx.Component:
    return rx.el.p(
        icon("activity", size=16),
        "No active job. A new one is shown here with its loss.",
        class_name="flex items-center gap-2 rounded-xl border border-dashed border-input px-5 py-4 text-sm "
        "text-muted-foreground touch:px-4",
    )


def active_jobs() -> rx.Component:
    """Cards, two in a row."""
    cards = rx.el.section(
        rx.el.h2("Active jobs", class_name="sr-only"),
        rx.el.ul(rx.foreach(State.active, _card), class_name="grid gap-4 md:grid-cols-2"),
    )
    return rx.cond(State.active.length() > 0, cards, rx.cond(State.any_jobs, _idle(), _demo()))
