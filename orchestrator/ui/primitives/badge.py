"""Small marks next to a name: a tag, a count, a key of the keyboard, a job's colour, a person's initials."""

from typing import Any, Literal

import reflex as rx

from orchestrator.ui.kit import Child, Text, children, classes

Tone = Literal["primary", "success", "warning", "destructive", "info", "muted"]

TONES: dict[Tone, str] = {
    "primary": "bg-primary/13 text-primary",
    "success": "bg-success/13 text-success",
    "warning": "bg-warning/13 text-warning",
    "destructive": "bg-destructive/13 text-destructive",
    "info": "bg-info/13 text-info",
    "muted": "bg-muted text-muted-foreground",
}


def tag(*content: Child, class_name: str = "") -> rx.Component:
    """A muted, outlined label: a task, "All linear"."""
    look = "inline-flex h-5 shrink-0 items-center rounded-md border border-border px-1.5 text-xs text-muted-foreground"
    return rx.el.span(*children(*content), class_name=classes(look, class_name))


def badge(*content: Child, tone: Tone = "muted", class_name: str = "") -> rx.Component:
    """A tinted pill."""
    look = "inline-flex h-6 shrink-0 items-center gap-1 rounded-full px-2 text-xs font-medium"
    return rx.el.span(*children(*content), class_name=classes(look, TONES[tone], class_name))


def kbd(key: str) -> rx.Component:
    """A key of the keyboard."""
    return rx.el.kbd(
        key, class_name="rounded-md border border-border px-1.5 py-0.5 font-mono text-xs text-muted-foreground"
    )


def avatar(name: Text, class_name: str = "") -> rx.Component:
    """The first two letters of a name in a circle."""
    letters: Any = name[:2].upper() if isinstance(name, str) else name.to(str)[:2].upper()
    look = "inline-flex size-8 shrink-0 items-center justify-center rounded-full bg-muted text-xs font-semibold text-foreground"
    return rx.el.span(letters, aria_hidden=True, class_name=classes(look, class_name))
