"""The page at `/workers`: the workers and the queue."""

from typing import Any

import reflex as rx

from orchestrator.domain.terms import DRAIN
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.gauges import gauge, job_bar
from orchestrator.pages.shared.terms import explain_term
from orchestrator.states.shell.session import SessionState
from orchestrator.states.workers.index import WorkerCard
from orchestrator.states.workers.index import WorkersState as State
from orchestrator.ui.charts.sparkline import sparkline
from orchestrator.ui.kit import Text
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.cards import stat_card
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.error_state import error_state
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import swatch
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import loading, skeleton

LIMITS = [("none", "No limit"), ("1", "1 at once"), ("2", "2 at once"), ("4", "4 at once"), ("8", "8 at once")]


def _state(worker: WorkerCard) -> rx.Component | rx.Var[Any]:
    return rx.match(
        worker.state,
        ("working", badge("Working", tone="primary")),
        ("draining", badge("Draining", tone="warning")),
        ("silent", badge("Silent", tone="destructive")),
        badge("Idle", tone="muted"),
    )


def _gauge(label: Text, figure: rx.Var, share: rx.Var, worker: WorkerCard, curve: rx.Var | None = None) -> rx.Component:
    bar = job_bar(share, worker.series, f"{label} of {worker.name}")
    if curve is None:
        return gauge(label, figure, bar)
    history = sparkline(
        curve,
        series=1,
        color="var(--muted-foreground)",
        height=36,
        label=f"{label}, the last five minutes",
        low=0.0,
        high=1.0,
    )
    return gauge(label, figure, bar, history)


def _doing(worker: WorkerCard) -> rx.Component:
    named = rx.fragment(
        swatch(worker.series, size=10),
        link(long_name(worker.job), href=f"/jobs/{worker.job_id}", muted=False, class_name="min-w-0 no-underline"),
        rx.cond(worker.owner, rx.el.span("by ", worker.owner, class_name="text-muted-foreground"), rx.fragment()),
    )
    other = rx.el.span(
        rx.cond(worker.job, worker.job, rx.cond(worker.draining, "takes no more jobs", "no job")),
        class_name="text-muted-foreground",
    )
    # An administrator reads whose job it is, but only the owner may open it.
    return rx.el.p(
        rx.cond(
            (worker.job_id > 0) & (worker.owner == "") | (worker.owner == SessionState.username),
            named,
            _plain(worker, other),
        ),
        class_name="flex min-h-5 min-w-0 items-center gap-2 text-sm",
    )


def _plain(worker: WorkerCard, other: rx.Component) -> rx.Component:
    others = rx.el.span(worker.job, " by ", worker.owner, class_name="truncate")
    return rx.cond(worker.owner, others, other)


def _drain(worker: WorkerCard) -> rx.Component:
    press = rx.cond(
        worker.draining,
        button("Undrain", size="sm", icon="play", on_click=State.drain(worker.name, False)),
        alert_dialog(
            title=f"Drain {worker.name}?",
            description="It finishes its job and takes no new one until it is undrained. Waiting jobs go to other workers.",
            confirm="Drain worker",
            cancel="Cancel",
            destructive=False,
            on_confirm=State.drain(worker.name, True),
            opener=button("Drain", size="sm", icon="circle-pause"),
        ),
    )
    controls = rx.el.div(press, explain_term(DRAIN), class_name="flex items-center gap-1")
    return rx.cond(SessionState.is_admin & worker.alive, controls, rx.fragment())


def _facts(worker: WorkerCard) -> list[rx.Component]:
    head = rx.el.div(
        rx.el.div(
            rx.el.h2(worker.name, class_name="truncate font-mono text-sm font-semibold"),
            rx.el.p(worker.device, " on ", worker.host, class_name="truncate text-xs text-muted-foreground"),
            class_name="min-w-0",
        ),
        _state(worker),
        class_name="flex items-start justify-between gap-3",
    )
    with_gpu = rx.fragment(
        _gauge("GPU memory", worker.gpu_memory, worker.gpu_memory_percent, worker, worker.memory_curve),
        _gauge("Memory", worker.memory, worker.memory_percent, worker),
    )
    without_gpu = _gauge("Memory", worker.memory, worker.memory_percent, worker, worker.memory_curve)
    foot = rx.el.div(
        rx.el.p(
            "Last heartbeat ",
            relative_time(worker.heartbeat),
            rx.el.br(),
            "started ",
            relative_time(worker.since),
            class_name="text-xs text-muted-foreground",
        ),
        _drain(worker),
        class_name="flex min-h-8 items-center justify-between gap-3",
    )
    return [
        head,
        _doing(worker),
        _gauge(worker.busy_label, worker.busy, worker.busy_percent, worker, worker.busy_curve),
        rx.cond(worker.gpu_memory, with_gpu, without_gpu),
        foot,
    ]


def _worker(worker: WorkerCard) -> rx.Component:
    return rx.el.li(
        card(
            rx.el.div(*_facts(worker), class_name="flex flex-col gap-4"),
            class_name="min-w-0",
        ),
        key=worker.name,
        custom_attrs={"data-worker": worker.name, "data-state": worker.state},
        class_name="min-w-0",
    )


def _queue() -> rx.Component:
    steer = rx.el.div(
        select(options=LIMITS, value=State.limit, on_change=State.set_limit, label="Jobs per user", muted=True),
        rx.cond(
            State.paused,
            button("Resume queue", variant="primary", icon="play", on_click=State.pause(False), id="queue-resume"),
            alert_dialog(
                title="Pause the queue of all users?",
                description="Running jobs continue; no new jobs start, of anyone, until it is resumed.",
                confirm="Pause queue",
                cancel="Cancel",
                destructive=False,
                on_confirm=State.pause(True),
                opener=button("Pause queue", icon="circle-pause", id="queue-pause"),
            ),
        ),
        class_name="flex flex-wrap items-center gap-3",
    )
    return card(
        rx.el.div(
            rx.el.div(
                stat_card("Training", State.running),
                stat_card("Waiting", State.waiting),
                class_name="grid flex-1 grid-cols-2 gap-4",
            ),
            rx.cond(SessionState.is_admin, steer, rx.fragment()),
            class_name="flex flex-wrap items-center gap-6",
        ),
        rx.cond(
            State.paused,
            rx.el.p(
                "Queue paused. Running jobs continue; no new jobs start.",
                role="status",
                class_name="mt-4 text-sm text-warning",
            ),
            rx.fragment(),
        ),
        title="Queue",
        note="all users",
    )


def _body() -> rx.Component:
    none = empty_state(
        title="No worker is running",
        text="Jobs wait in the queue until one is. ./loreel up starts one; ./loreel worker starts another.",
        icon="server",
    )
    grid = rx.el.ul(rx.foreach(State.workers, _worker), class_name="grid gap-4 md:grid-cols-2 xl:grid-cols-3")
    return rx.fragment(_queue(), rx.cond(State.workers, grid, none))


def index() -> rx.Component:
    """Every worker, live."""
    waiting = loading(skeleton("h-28 rounded-xl"), skeleton("h-72 rounded-xl"), label="Loading the workers")
    failed = error_state("The workers could not be read", State.problem, State.refresh)
    return frame(
        page_header("Workers", note="The workers, and the jobs they run now."),
        rx.cond(State.loaded, rx.cond(State.problem, failed, _body()), waiting),
        title="Workers",
        active="workers",
    )
