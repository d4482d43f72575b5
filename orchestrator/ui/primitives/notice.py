"""A sentence above a form or a panel: what went wrong, or what to know."""

from typing import Literal

import reflex as rx

from orchestrator.ui.kit import Child, children, classes
from orchestrator.ui.primitives.icon import icon

Tone = Literal["destructive", "warning", "info"]

_LOOK: dict[Tone, str] = {
    "destructive": "border-destructive/45 bg-destructive/8 text-destructive",
    "warning": "border-warning/40 bg-warning/8 text-warning",
    "info": "border-info/40 bg-info/8 text-info",
}
_ICONS: dict[Tone, str] = {"destructive": "circle-alert", "warning": "triangle-alert", "info": "info"}


def notice(*content: Child, tone: Tone = "destructive", class_name: str = "") -> rx.Component:
    """Read out when it appears."""
    look = "flex items-start gap-2.5 rounded-lg border px-3.5 py-3 text-sm"
    return rx.el.div(
        icon(_ICONS[tone], class_name="mt-0.5"),
        rx.el.div(*children(*content), class_name="min-w-0"),
        role="alert",
        class_name=classes(look, _LOOK[tone], class_name),
    )
