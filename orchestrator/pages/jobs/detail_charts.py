"""The charts of a job's page: curves of the run, and telemetry of its machine."""

from typing import Any

import reflex as rx

from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.ui.charts.loss_chart import loss_chart

head = JobDetailState.head


def run_chart(**props: Any) -> rx.Component:
    """A live chart of the run's metrics. `props`: of `loss_chart`."""
    return loss_chart(
        points=JobDetailState.points.to(dict[str, Any]),
        history=JobDetailState.history,
        total_steps=JobDetailState.total_steps,
        series=head.series,
        live=head.active,
        on_gap=JobDetailState.refill,
        refine=f"/api/v1/jobs/{head.id}/metrics",
        **props,
    )


def telemetry_chart(title: str, run_key: Any, machine_key: Any, **props: Any) -> rx.Component:
    """What the run uses of its machine, and the use of the whole machine ("none": not drawn)."""
    return loss_chart(
        history=JobDetailState.telemetry,
        series=head.series,
        title=title,
        train_key=run_key,
        eval_key=machine_key,
        train_word="This run",
        eval_word="The whole machine",
        axis="seconds",
        smoothing=0.0,
        **props,
    )
