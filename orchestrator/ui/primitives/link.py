"""Links inside the product: no page load, and no Radix Themes."""

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from orchestrator.ui.kit import Child, Text, children


def link(*content: Child, href: Text, muted: bool = True, class_name: str = "", **props: Any) -> rx.Component:
    """A link to a page of ours. `muted`: underlined in grey, as text links in the product are."""
    return ReactRouterLink.create(
        *children(*content),
        to=href,
        class_name=f"{'link-muted rounded-sm' if muted else ''} {class_name}".strip(),
        **props,
    )
