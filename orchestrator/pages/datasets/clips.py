"""The clips of a dataset: the grid, the class filter, and those that were left out with their reasons."""

import reflex as rx

from orchestrator.states.datasets_detail import DatasetDetailState
from orchestrator.states.datasets_rows import ClipTile
from orchestrator.ui.patterns.clip_player import clip_player
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.select import select

GRID = "grid grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-x-3 gap-y-4"


def _tile(tile: rx.Var[ClipTile]) -> rx.Component:
    return rx.el.li(
        clip_player(tile.thumbnail, tile.preview, tile.facts, tile.lasts),
        rx.el.div(
            rx.cond(
                DatasetDetailState.by_class,
                rx.el.span(tile.label, class_name="min-w-0 truncate font-medium"),
                rx.el.span(tile.caption, title=tile.caption, class_name="line-clamp-2 min-w-0 break-words"),
            ),
            rx.el.span(tile.split, class_name="shrink-0 text-muted-foreground"),
            class_name="mt-1.5 flex items-baseline justify-between gap-2 text-xs",
        ),
        class_name="min-w-0",
    )


def clip_grid() -> rx.Component:
    """Clips of the chosen class, one page of them, with true counts."""
    state = DatasetDetailState
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Clips", class_name="text-sm font-semibold"),
            rx.cond(
                state.labels.length() > 2,
                select(
                    state.labels,
                    value=rx.cond(state.label == "", "any", state.label),
                    on_change=state.filter_label,
                    label="Class",
                    quiet=True,
                ),
                rx.fragment(),
            ),
            class_name="mb-3 flex min-h-9 items-center justify-between gap-3",
        ),
        rx.el.ul(rx.foreach(state.tiles, _tile), class_name=GRID),
        rx.el.div(
            rx.el.span(state.shown_text, class_name="text-sm text-muted-foreground"),
            rx.cond(state.more, button("Show more", on_click=state.show_more), rx.fragment()),
            class_name="mt-4 flex min-h-9 items-center justify-between",
        ),
        aria_label="Clips",
    )


def _left_out(tile: rx.Var[ClipTile]) -> rx.Component:
    return rx.el.li(
        icon("circle-x", class_name="mt-0.5 text-destructive"),
        rx.el.div(
            rx.el.p(tile.name, class_name="truncate font-mono text-xs", title=tile.name),
            rx.el.p(tile.problem, class_name="text-xs text-muted-foreground"),
            class_name="min-w-0",
        ),
        class_name="flex gap-2.5 border-t border-border py-2.5 first:border-t-0 first:pt-0",
    )


def left_out() -> rx.Component:
    """Files that cannot be learnt from, each with its reason; nothing when all are good."""
    state = DatasetDetailState
    return rx.cond(
        state.bad_count > 0,
        card(
            rx.el.ul(rx.foreach(state.bad_tiles, _left_out), class_name="max-h-80 overflow-y-auto"),
            title="Left out",
            note=state.bad_text,
        ),
        rx.fragment(),
    )
