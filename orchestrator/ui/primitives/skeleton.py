"""While something loads: grey shapes of the size of what comes, or a turning ring."""

import reflex as rx

from orchestrator.ui.kit import Child, children, classes
from orchestrator.ui.primitives.icon import icon


def skeleton(class_name: str = "h-4 w-full") -> rx.Component:
    """One grey shape; give it the size of what comes."""
    return rx.el.div(aria_hidden=True, class_name=classes("animate-shimmer rounded-md bg-muted", class_name))


def loading(*content: Child, label: str = "Loading", class_name: str = "") -> rx.Component:
    """Skeletons with a word for screen readers."""
    word = rx.el.span(label, class_name="sr-only")
    return rx.el.div(word, *children(*content), role="status", aria_busy=True, class_name=class_name)


def spinner(size: int = 16, label: str = "Loading") -> rx.Component:
    """A turning ring."""
    return rx.el.span(
        icon("loader-circle", size=size, class_name="animate-spin"),
        rx.el.span(label, class_name="sr-only"),
        role="status",
    )
