"""Status as colour, icon and word together."""

import reflex as rx

from orchestrator.ui.kit import Text, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class StatusChip(rx.Component):
    """Binding of `status_chip.tsx`, which holds the table of every status of the domain."""

    library = tsx("primitives/status_chip.tsx")
    tag = "StatusChip"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    status: rx.Var[str]
    word: rx.Var[str]


def status_chip(status: Text, word: Text | None = None, class_name: str = "") -> rx.Component:
    """The chip of a status of the domain (`running`, `ready`, ...); `word` replaces its word."""
    return StatusChip.create(status=status, class_name=class_name, **present(word=word))
