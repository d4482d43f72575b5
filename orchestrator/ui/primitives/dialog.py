"""A dialog over the page, opened by a component or by a state var."""

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Handler, Text, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.slots import Slotted
from orchestrator.ui.tsx import tsx


class Dialog(Slotted):
    """Binding of `dialog.tsx`."""

    library = tsx("primitives/dialog.tsx")
    tag = "Dialog"
    alias = "LoreelDialog"
    lib_dependencies: list[str] = pinned("@radix-ui/react-dialog", "lucide-react", *STYLE)

    open: rx.Var[bool]
    title: rx.Var[str]
    description: rx.Var[str]
    size: rx.Var[str]
    opener: rx.Component | None = None
    footer: rx.Component | None = None
    on_open_change: rx.EventHandler[rx.event.passthrough_event_spec(bool)]


class DialogClose(rx.Component):
    """Binding of `dialog.tsx`: what closes."""

    library = tsx("primitives/dialog.tsx")
    tag = "DialogClose"
    lib_dependencies: list[str] = pinned("@radix-ui/react-dialog", "lucide-react", *STYLE)


def dialog(
    *content: Child,
    title: Text,
    description: Text | None = None,
    opener: rx.Component | None = None,
    open: Flag | None = None,
    on_open_change: Handler = None,
    footer: list[rx.Component] | rx.Component | None = None,
    size: str = "md",
) -> rx.Component:
    """A dialog. Give `opener` (any button), or `open` with `on_open_change` (gets a bool). `size`: sm, md, lg."""
    foot = rx.fragment(*footer) if isinstance(footer, list) else footer
    return Dialog.create(
        *children(*content),
        title=title,
        size=size,
        **present(description=description, opener=opener, open=open, on_open_change=on_open_change, footer=foot),
    )


def dialog_close(content: rx.Component) -> rx.Component:
    """Wraps a button (say, Cancel) so that it closes the dialog it stands in."""
    return DialogClose.create(content)
