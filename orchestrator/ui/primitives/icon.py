"""Lucide icons by name, drawn at 16 px in the colour of the text around them."""

from typing import Any

import reflex as rx


def icon(name: str, size: int = 16, class_name: str = "", label: str = "") -> rx.Component:
    """The icon `name` (lucide's own, snake or kebab case); give `label` only when no text stands next to it."""
    wiring: dict[str, Any] = {"aria_label": label, "role": "img"} if label else {"aria_hidden": True}
    return rx.icon(name, size=size, class_name=f"shrink-0 {class_name}".strip(), **wiring)
