"""The keyboard shortcuts of every page, and their list on "?"."""

from typing import Any

import reflex as rx

from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx

PAGE_KEYS = {
    "o": "/overview",
    "d": "/datasets",
    "m": "/models",
    "j": "/jobs",
    "a": "/adapters",
    "p": "/playground",
    "w": "/workers",
    "s": "/settings",
    "n": "/jobs/new",
}
"""After "g", the key of each page."""
_GROUPS: list[tuple[str, list[tuple[list[str], str]]]] = [
    (
        "Everywhere",
        [
            (["Ctrl or \u2318", "K"], "Search or jump to"),
            (["?"], "Keyboard shortcuts"),
            (["Esc"], "Close what is open"),
        ],
    ),
    (
        "Go to",
        [
            (["g", "o"], "Overview"),
            (["g", "d"], "Datasets"),
            (["g", "m"], "Models"),
            (["g", "j"], "Training jobs"),
            (["g", "n"], "New job"),
            (["g", "a"], "Adapters"),
            (["g", "p"], "Playground"),
            (["g", "w"], "Workers"),
            (["g", "s"], "Settings"),
        ],
    ),
    (
        "In the dialog of a clip",
        [
            (["Ctrl or \u2318", "Enter"], "Save and open the next clip"),
            (["["], "Clip before"),
            (["]"], "Next clip"),
            (["Alt", "Page Up"], "Clip before, also in text fields"),
            (["Alt", "Page Down"], "Next clip, also in text fields"),
        ],
    ),
]


class Keys(rx.Component):
    """Binding of `keys.tsx`."""

    library = tsx("layout/keys.tsx")
    tag = "Keys"
    alias = "LoreelKeys"
    lib_dependencies: list[str] = pinned("@radix-ui/react-dialog", "lucide-react", *STYLE)

    groups: rx.Var[list[dict[str, Any]]]
    pages: rx.Var[dict[str, str]]


def keys() -> rx.Component:
    """Listens for the shortcuts; renders nothing until their list is opened."""
    groups = [
        {"title": title, "keys": [{"keys": pressed, "what": what} for pressed, what in rows]} for title, rows in _GROUPS
    ]
    return Keys.create(groups=groups, pages=PAGE_KEYS)


def show_keys() -> rx.event.EventSpec:
    """An event that opens the list."""
    return rx.call_script("window.dispatchEvent(new Event('loreel:shortcuts'))")
