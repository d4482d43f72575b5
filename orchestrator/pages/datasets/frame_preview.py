"""The frame preview in a clip's dialog: the frames and pixels that a model receives, and their times in the clip."""

from typing import Any

import reflex as rx

from orchestrator.states.datasets.clips import DatasetClipsState
from orchestrator.states.datasets.frame_preview import RESULT_ID, Mark
from orchestrator.states.datasets.frame_preview import FramePreviewState as State
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select

CLIP: Any = DatasetClipsState.clip
PROBLEM_ID = "frame-preview-problem"


def _mark(mark: rx.Var[Mark]) -> rx.Component:
    return rx.el.li(
        rx.el.span(mark.text, class_name="sr-only"),
        title=mark.text,
        style={"left": mark.left.to_string() + "%"},
        class_name="absolute top-0 h-full w-0.5 -translate-x-1/2 bg-primary",
    )


def _sheet() -> rx.Component:
    return rx.el.figure(
        rx.el.ol(
            rx.foreach(State.marks, _mark),
            aria_label="Times of the frames in the clip",
            class_name="relative mx-1 h-5 rounded-sm bg-muted",
        ),
        rx.el.img(
            src=State.image,
            alt="The frames as the model receives them, in order",
            class_name="mt-3 w-full rounded-md bg-film [image-rendering:pixelated]",
        ),
        rx.el.figcaption(State.caption, class_name="mt-2 text-xs text-muted-foreground"),
    )


def _error_id(name: str) -> rx.Var[str]:
    """The id of the problem below, where it is about this field."""
    return rx.cond(State.problem_field == name, PROBLEM_ID, "").to(str)


def _number(name: str, label: str, value: Any, on_change: Any) -> rx.Component:
    """A number; Enter draws the frames."""
    return field(
        label,
        text_input(
            value=value,
            on_change=on_change,
            on_enter=lambda _text: State.draw(),
            input_mode="numeric",
            placeholder="default",
        ),
        error_id=_error_id(name),
        class_name="min-w-0 flex-1 sm:w-24 sm:flex-none",
    )


def _form() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            field(
                "Model",
                select(State.models, value=State.model, on_change=State.choose_model, label="Model"),
                error_id=_error_id("model"),
                class_name="min-w-0 flex-1 basis-full sm:basis-40",
            ),
            _number("frames", "Frames", State.frames, State.type_frames),
            _number("size", "Frame size", State.size, State.type_size),
            button("Draw", on_click=State.draw, loading=State.drawing, disabled=State.drawing),
            class_name="flex flex-wrap items-end gap-3",
        ),
        rx.el.div(
            rx.cond(
                State.problem != "",
                rx.el.p(State.problem, id=PROBLEM_ID, role="alert", class_name="text-sm text-destructive"),
                rx.fragment(),
            ),
            rx.cond(State.image != "", _sheet(), rx.fragment()),
            id=RESULT_ID,
            class_name="empty:hidden",
        ),
        class_name="mt-4 flex flex-col gap-3 border-t border-border pt-4",
    )


def frame_preview() -> rx.Component:
    """A button; then the settings and the frames."""
    return rx.cond(
        State.clip_id == CLIP.id,
        _form(),
        rx.el.div(button("Show what a model sees", icon="eye", size="sm", on_click=State.start), class_name="mt-4"),
    )
