"""The table of step 3 of the wizard: the dataset's clips by size, and what the base sees of them."""

import reflex as rx

from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_rows import ShapeRow
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon

_HEAD = "pb-1 align-bottom text-xs font-medium text-muted-foreground"
_NEXT = "pl-2 text-right sm:pl-4"
"""Columns but the first; five of them fit a phone."""


def _row(row: ShapeRow) -> rx.Component:
    cell = f"py-1 {_NEXT} font-mono text-xs tabular whitespace-nowrap"
    return rx.el.tr(
        rx.el.th(row.size, scope="row", class_name="py-1 text-left font-mono text-xs font-medium whitespace-nowrap"),
        rx.el.td(row.clips, class_name=cell),
        rx.el.td(row.frames, class_name=cell),
        rx.el.td(row.seen, class_name=cell),
        rx.cond(JobFormState.plan.counts_tokens, rx.el.td(row.tokens, class_name=cell), rx.fragment()),
    )


def _table() -> rx.Component:
    heads = ("Clips", "Frames", "Seen as")
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Size", scope="col", class_name=f"{_HEAD} text-left"),
                    *(rx.el.th(head, scope="col", class_name=f"{_NEXT} {_HEAD}") for head in heads),
                    rx.cond(
                        JobFormState.plan.counts_tokens,
                        rx.el.th("Tokens a clip", scope="col", class_name=f"{_NEXT} {_HEAD}"),
                        rx.fragment(),
                    ),
                )
            ),
            rx.el.tbody(rx.foreach(JobFormState.plan.shapes, _row)),
            id="shapes-table",
            class_name="w-full",
        ),
        tab_index=0,
        role="region",
        aria_label="Clips by size",
        class_name="max-w-full overflow-x-auto focus-ring",
    )


def shapes_card() -> rx.Component:
    """Nothing until the sizes of the clips are known."""
    plan = JobFormState.plan
    return rx.cond(
        plan.shapes.length() > 0,
        card(
            _table(),
            rx.cond(
                plan.other_shapes,
                rx.el.p(plan.other_shapes, class_name="mt-2 text-xs text-muted-foreground"),
                rx.fragment(),
            ),
            rx.cond(
                plan.cut_clips,
                rx.el.p(
                    icon("triangle-alert", class_name="mt-0.5 text-warning"),
                    plan.cut_clips,
                    class_name="mt-2 flex items-start gap-2 text-sm",
                ),
                rx.fragment(),
            ),
            title="Clips as the model sees them",
            note="from their sizes and lengths; nothing is decoded",
            id="shapes",
        ),
        rx.fragment(),
    )
