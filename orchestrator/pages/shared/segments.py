"""TODO."""

import reflex as rx

SEGMENTS = "flex items-center gap-0.5 rounded-lg border border-border p-[3px]"


_SEGMENT = "flex h-[1.875rem] items-center gap-1.5 rounded-md px-2.5 text-sm transition-colors touch:h-11"


_ON = "bg-muted font-semibold text-foreground"


_OFF = "text-muted-foreground hover:text-foreground"


def segment(*content, chosen: rx.Var[bool], on_click, **props) -> rx.Component:
    """One choice of a segmented control."""
    return rx.el.button(
        *content,
        type="button",
        on_click=on_click,
        aria_pressed=chosen,
        class_name=rx.cond(chosen, f"{_SEGMENT} {_ON}", f"{_SEGMENT} {_OFF}"),
        **props,
    )
