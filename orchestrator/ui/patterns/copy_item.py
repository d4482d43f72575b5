"""An item of a menu that copies a text."""

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.primitives.toast import toast
from orchestrator.ui.tsx import tsx


class CopyItem(rx.Component):
    """Binding of `copy_item.tsx`."""

    library = tsx("patterns/copy_item.tsx")
    tag = "CopyItem"
    alias = "LoreelCopyItem"
    lib_dependencies: list[str] = pinned("@radix-ui/react-dropdown-menu", "lucide-react", *STYLE)

    label: rx.Var[str]
    text: rx.Var[str]
    on_copy: rx.EventHandler[rx.event.no_args_event_spec]


def copy_item(label: str, text: Text) -> rx.Component:
    """Copies `text` and says so."""
    return CopyItem.create(label=label, text=text, on_copy=toast("success", "Copied."))
