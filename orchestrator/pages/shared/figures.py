"""TODO."""

import reflex as rx

from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.shared.presentation import Fact


def figure(fact: rx.Var[Fact]) -> rx.Component:
    """A caption over its value."""
    return rx.el.div(
        rx.el.dt(fact.caption, class_name="text-xs text-muted-foreground"),
        rx.el.dd(fact.value, class_name="mt-1 text-sm font-semibold tabular"),
        class_name="border-l border-border py-1 pl-5 pr-6 first:border-l-0 first:pl-0 touch:border-l-0 touch:pl-0",
    )


def figures() -> rx.Component:
    """The row of figures under the head."""
    return rx.el.dl(rx.foreach(DatasetDetailState.facts, figure), class_name="flex flex-wrap gap-y-3")
