"""One of a few words, as pressed buttons: for pages that must not carry the whole of `choice`."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Handler, Text


def pick(options: list[tuple[str, str]], *, label: Text, value: Any, on_change: Handler) -> rx.Component:
    """`options`: (value, word) pairs; `on_change` gets the value."""
    look = (
        "h-7 cursor-pointer rounded-md px-3 text-sm text-muted-foreground transition-colors focus-ring tap "
        "hover:text-foreground aria-pressed:bg-muted aria-pressed:font-semibold aria-pressed:text-foreground"
    )
    return rx.el.div(
        *[
            rx.el.button(
                word,
                type="button",
                aria_pressed=value == key,
                on_click=on_change(key),
                class_name=look,
            )
            for key, word in options
        ],
        role="group",
        aria_label=label,
        class_name="inline-flex items-center gap-0.5 rounded-lg border border-border p-0.5",
    )
