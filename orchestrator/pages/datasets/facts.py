"""Statistics of a dataset's clips: clips per class, frame sizes, and histograms of clip and caption lengths."""

import reflex as rx

from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.rows import ClassBar, LengthBar
from orchestrator.ui.primitives.card import card


def class_bar(bar: rx.Var[ClassBar]) -> rx.Component:
    """The number of a class's clips as a bar."""
    return rx.el.li(
        rx.el.span(bar.name, title=bar.name, class_name="truncate"),
        rx.el.span(
            rx.el.span(
                style={"width": f"{bar.share}%"},
                class_name=rx.cond(
                    bar.short, "block h-full rounded-full bg-warning", "block h-full rounded-full bg-muted-foreground"
                ),
            ),
            aria_hidden=True,
            class_name="h-1.5 overflow-hidden rounded-full bg-muted",
        ),
        rx.el.span(bar.count, class_name="text-right tabular text-muted-foreground"),
        class_name="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_2.5rem] items-center gap-3 py-1 text-xs",
    )


def class_balance() -> rx.Component:
    """Clips per class; a class far smaller than the largest is marked."""
    return rx.cond(
        DatasetDetailState.has_classes & (DatasetDetailState.bars.length() > 0),
        _balance(),
        rx.fragment(),
    )


def _balance() -> rx.Component:
    return card(
        rx.el.ul(rx.foreach(DatasetDetailState.bars, class_bar), class_name="max-h-96 overflow-y-auto"),
        title="Clips per class",
        note=DatasetDetailState.balance_note,
    )


def frame_sizes() -> rx.Component:
    """Clips per frame size; nothing where all have the same."""
    return rx.cond(
        DatasetDetailState.size_bars.length() > 0,
        card(
            rx.el.ul(rx.foreach(DatasetDetailState.size_bars, class_bar), class_name="max-h-60 overflow-y-auto"),
            title="Frame size",
            note="training resizes all to one size",
        ),
        rx.fragment(),
    )


def _length_bar(bar: rx.Var[LengthBar]) -> rx.Component:
    return rx.el.li(
        rx.el.span(bar.title, class_name="sr-only"),
        title=bar.title,
        style={"height": f"{bar.share}%"},
        class_name="min-h-px flex-1 rounded-t-sm bg-muted-foreground/70 hover:bg-muted-foreground",
    )


def _histogram(
    title: str, note: rx.Var[str], bars: rx.Var[list[LengthBar]], least: str, most: rx.Var[str]
) -> rx.Component:
    """A histogram; nothing where all clips are in one bin."""
    return rx.cond(
        bars.length() > 1,
        card(
            rx.el.ul(rx.foreach(bars, _length_bar), class_name="flex h-28 items-end gap-1"),
            rx.el.div(
                rx.el.span(least),
                rx.el.span(most),
                class_name="mt-2 flex justify-between text-xs tabular text-muted-foreground",
            ),
            title=title,
            note=note,
        ),
        rx.fragment(),
    )


def clip_lengths() -> rx.Component:
    """Histograms of clip lengths and caption lengths."""
    state = DatasetDetailState
    return rx.fragment(
        _histogram("Clip length", state.lengths_note, state.lengths, "0 s", state.longest_text),
        _histogram("Caption length", state.words_note, state.word_bars, "0 words", state.most_words),
    )
