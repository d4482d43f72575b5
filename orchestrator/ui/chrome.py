"""What the whole app wears: stylesheet, icon, theme colour and the toaster; handed to `rx.App` as arguments."""

from typing import Any

import reflex as rx

from orchestrator.ui.primitives.toast import toaster

STYLESHEETS = ["/styles/loreel.css"]
SOCIAL_IMAGE = "/social.png"
"""The picture that chats show next to a link, 1200 x 630; `scripts/screenshots.py` takes it."""


def social_tags(title: str, description: str) -> list[dict[str, str]]:
    """What chats show of a link; private pages name themselves and nothing that is on them."""
    return [
        {"property": "og:type", "content": "website"},
        {"property": "og:site_name", "content": "Loreel"},
        {"property": "og:title", "content": title},
        {"property": "og:description", "content": description},
        {"name": "twitter:card", "content": "summary_large_image"},
    ]


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
