"""A word more on hover or focus."""

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx


class Tooltip(rx.Component):
    """Binding of `tooltip.tsx`."""

    library = tsx("primitives/tooltip.tsx")
    tag = "Tooltip"
    alias = "LoreelTooltip"
    lib_dependencies: list[str] = pinned("@radix-ui/react-tooltip")

    text: rx.Var[str]
    side: rx.Var[str]


def tooltip(content: rx.Component, text: Text, side: str = "top") -> rx.Component:
    """`content` (something that takes focus) with `text` next to it on hover."""
    return Tooltip.create(content, text=text, side=side)
