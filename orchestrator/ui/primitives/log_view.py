"""The tail of a log."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Flag, Text
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class LogView(rx.Component):
    """Binding of `log_view.tsx`."""

    library = tsx("primitives/log_view.tsx")
    tag = "LogView"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    lines: rx.Var[list[dict[str, Any]]]
    height: rx.Var[str]
    empty: rx.Var[str]
    label: rx.Var[str]
    mark: rx.Var[str]
    pausable: rx.Var[bool]


def log_view(
    lines: Any,
    *,
    height: str = "18rem",
    empty: Text = "No lines yet.",
    label: str = "Log",
    mark: Text = "",
    pausable: Flag = False,
    class_name: str = "",
) -> rx.Component:
    """Mono lines that follow the newest until you scroll up.

    `lines`: `{time?, level?, text}` (level: info, warn, error, eval, save); `mark`: words that stand out; `pausable`: with a
    button that holds what is shown.
    """
    return LogView.create(
        lines=lines, height=height, empty=empty, label=label, mark=mark, pausable=pausable, class_name=class_name
    )
