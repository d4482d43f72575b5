"""What the whole app wears: stylesheet, icon, theme colour and the toaster; handed to `rx.App` as arguments."""

from typing import Any

import reflex as rx

from orchestrator.ui.primitives.toast import toaster

STYLESHEETS = ["/styles/loreel.css"]


def app_chrome() -> dict[str, Any]:
    """Keyword arguments for `rx.App`."""
    return {
        "stylesheets": STYLESHEETS,
        "toaster": toaster(),
        "head_components": [
            rx.el.link(rel="icon", type="image/svg+xml", href="/favicon.svg"),
            rx.el.meta(name="color-scheme", content="dark light"),
        ],
    }
