"""The left side of the playground: base and adapter, the clip or the search, and earlier answers."""

from typing import Any

import reflex as rx

from orchestrator.settings import get_settings
from orchestrator.states.datasets.rows import ClipTile
from orchestrator.states.playground.index import PlaygroundState as State
from orchestrator.states.playground.rows import Past
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import textarea
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.select import select
from orchestrator.ui.uploader.clip_drop import clip_drop


def _picture(address: Any, class_name: str = "") -> rx.Component:
    """One of the four frames of a clip's thumbnail."""
    return rx.el.img(
        src=address,
        alt="",
        loading="lazy",
        decoding="async",
        style={"objectPosition": "33.33%"},
        class_name=f"absolute inset-0 size-full object-cover {class_name}",
    )


def _tile(tile: rx.Var[ClipTile]) -> rx.Component:
    chosen = rx.cond(State.scene, State.scene.clip_id == tile.id, False)  # type: ignore[union-attr]
    words = rx.cond(tile.label != "", tile.label, tile.caption)
    return rx.el.li(
        rx.el.button(
            rx.cond(tile.thumbnail != "", _picture(tile.thumbnail), rx.fragment()),
            type="button",
            title=words,
            aria_label=tile.short_name + ": " + words,
            aria_pressed=chosen,
            on_click=State.choose_clip(tile.id),
            class_name=(
                "focus-ring relative block aspect-[4/3] w-full cursor-pointer overflow-hidden rounded-md bg-film "
                "ring-offset-2 ring-offset-background transition-shadow hover:ring-2 hover:ring-input "
                "aria-pressed:ring-2 aria-pressed:ring-primary"
            ),
        )
    )


def _clips() -> rx.Component:
    return rx.fragment(
        rx.cond(
            State.tiles.length() > 0,
            rx.el.ul(
                rx.foreach(State.tiles, _tile),
                aria_label="Clips of the dataset",
                class_name="grid max-h-72 grid-cols-4 gap-2 overflow-y-auto p-1",
            ),
            rx.el.p("This dataset has no clips that can be shown.", class_name="text-sm text-muted-foreground"),
        ),
        rx.cond(
            State.more,
            button("Show more", size="sm", variant="ghost", on_click=State.show_more),
            rx.fragment(),
        ),
    )


def _dataset(label: str) -> rx.Component:
    return rx.cond(
        State.datasets.length() > 0,
        field(label, select(State.datasets, value=State.dataset_id, on_change=State.choose_dataset)),
        rx.el.p(
            "You have no dataset yet. ",
            link("Add one", href="/datasets/new", muted=False),
            class_name="text-sm text-muted-foreground",
        ),
    )


def _question() -> rx.Component:
    return rx.cond(
        State.takes_question,
        field(
            "Question",
            textarea(
                value=State.prompt,
                on_change=State.type_prompt,
                rows=2,
                placeholder=State.usual_question,
                max_length=4_000,
            ),
            hint="Empty: the question that it was trained with.",
        ),
        rx.fragment(),
    )


def _by_clip() -> rx.Component:
    return rx.fragment(
        _question(),
        _dataset("Clip"),
        rx.cond(State.dataset_id != "", _clips(), rx.fragment()),
        clip_drop(
            endpoint="/api/v1/playground/clips",
            limit=get_settings().playground_clip_bytes,
            on_done=State.take_dropped,
        ),
        rx.el.p(
            "Dropped clips are not added to a dataset and are deleted after an hour.",
            class_name="-mt-2 text-xs text-muted-foreground",
        ),
    )


def _by_search() -> rx.Component:
    return rx.fragment(
        _dataset("Dataset to search"),
        rx.el.form(
            field(
                "What should the clips show?",
                text_input(
                    name="query",
                    value=State.query,
                    on_change=State.type_query,
                    placeholder="a red disc moves up",
                    max_length=400,
                ),
                hint="A sentence like the captions that it was trained on.",
            ),
            on_submit=lambda _: State.ask(),
        ),
    )


def chooser() -> rx.Component:
    """The choices that a question consists of."""
    return rx.fragment(
        field("Base model", select(State.bases, value=State.model_id, on_change=State.choose_base)),
        field(
            "Adapter",
            select(State.adapters, value=State.adapter_id, on_change=State.choose_adapter),
            hint=rx.cond(State.adapters.length() > 1, "", "No adapter was made from this base yet."),
        ),
        rx.cond(State.searches, _by_search(), _by_clip()),
        rx.el.div(earlier(), class_name="hidden lg:block"),
    )


def _past(past: rx.Var[Past]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(
                rx.cond(past.picture != "", _picture(past.picture), rx.fragment()),
                class_name="relative h-9 w-12 shrink-0 overflow-hidden rounded-md bg-film",
            ),
            rx.el.span(
                rx.el.span(past.answer, class_name="block truncate text-sm"),
                rx.el.span(past.title, class_name="block truncate text-xs text-muted-foreground"),
                class_name="min-w-0 flex-1 text-left",
            ),
            type="button",
            on_click=State.show_past(past.number),
            class_name="focus-ring flex w-full cursor-pointer items-center gap-3 rounded-md py-2 hover:bg-muted/60",
        ),
        class_name="border-t border-border first:border-t-0",
    )


def earlier() -> rx.Component:
    """The earlier answers of this visit; nothing before the first one."""
    return rx.cond(
        State.past.length() > 0,
        card(rx.el.ul(rx.foreach(State.past, _past)), title="Earlier answers", note="this session"),
        rx.fragment(),
    )
