"""The overview: active jobs, workers, counts, ended jobs and events."""

import reflex as rx

from orchestrator.pages.overview.active import active_jobs
from orchestrator.pages.overview.checklist import first_steps
from orchestrator.pages.overview.panels import activity, counts, devices, recent_jobs
from orchestrator.pages.shared.frame import frame
from orchestrator.states.overview.index import OverviewState as State
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.error_state import error_state
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.skeleton import loading, skeleton


def _skeleton() -> rx.Component:
    return loading(
        skeleton("h-52 rounded-xl"),
        rx.el.div(
            skeleton("h-44 rounded-xl lg:col-span-3"),
            rx.el.div(
                *[skeleton("h-20 rounded-xl") for _ in range(4)], class_name="grid grid-cols-2 gap-4 lg:col-span-2"
            ),
            class_name="grid gap-4 lg:grid-cols-5",
        ),
        skeleton("h-80 rounded-xl"),
        class_name="flex flex-col gap-4",
    )


def _full() -> rx.Component:
    return rx.fragment(
        active_jobs(),
        first_steps(),
        rx.el.div(devices(), counts(), class_name="grid gap-4 lg:grid-cols-5"),
        rx.cond(
            State.any_jobs,
            rx.el.div(recent_jobs(), activity(), class_name="grid items-start gap-4 lg:grid-cols-3"),
            rx.fragment(),
        ),
    )


def index() -> rx.Component:
    """The first page after the login."""
    return frame(
        page_header(
            "Overview",
            note=rx.el.span(State.note, class_name="block min-h-5"),
            actions=[
                button("Add dataset", icon="plus", href="/datasets/new", class_name="max-sm:hidden"),
                rx.cond(
                    State.loaded & ~State.any_jobs,
                    button("New job", icon="plus", href="/jobs/new"),
                    button("New job", icon="plus", variant="primary", href="/jobs/new"),
                ),
            ],
        ),
        rx.cond(
            State.problem != "",
            error_state("The overview could not be read", State.problem, State.refresh),
            rx.cond(State.loaded, _full(), _skeleton()),
        ),
        title="Overview",
        active="overview",
    )
