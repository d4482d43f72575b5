"""Frames of a dataset's clips, drawn as a film strip that is dark in both themes."""

from typing import Any

import reflex as rx

# A thumbnail is one image of four frames side by side; these positions centre each frame in a square cell.
FRAME_POSITIONS = ("3.85%", "34.6%", "65.4%", "96.15%")


def _holes() -> rx.Component:
    return rx.el.div(class_name="film-holes w-full")


def _frame(address: Any) -> rx.Component:
    return rx.el.img(
        src=address,
        alt="",
        loading="lazy",
        decoding="async",
        style={"objectPosition": FRAME_POSITIONS[1]},
        class_name="h-full min-w-0 flex-1 bg-muted/20 object-cover",
    )


def film_strip(frames: rx.Var[list[str]]) -> rx.Component:
    """A frame of each of four clips; empty frames while there are none."""
    empty = [rx.el.div(class_name="h-full flex-1 bg-white/5") for _ in range(4)]
    return rx.el.div(
        _holes(),
        rx.el.div(
            rx.cond(frames.length() > 0, rx.foreach(frames, _frame), rx.fragment(*empty)),
            class_name="flex h-19 gap-[3px] px-1 py-1",
        ),
        _holes(),
        aria_hidden=True,
        class_name="flex flex-col gap-px overflow-hidden rounded-t-xl bg-film py-0.5",
    )


def small_strip(frames: Any) -> rx.Component:
    """One frame, for a table row."""
    return rx.el.div(
        rx.cond(frames.length() > 0, _frame(frames[0]), rx.fragment()),
        aria_hidden=True,
        class_name="flex size-9 shrink-0 overflow-hidden rounded-md bg-film",
    )
