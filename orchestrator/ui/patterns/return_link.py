"""A way back from a detour, such as adding a dataset while a job is being set up."""

import reflex as rx

from orchestrator.ui.kit import Child, Text, children
from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx


class _Return(rx.Component):
    library = tsx("patterns/return_link.tsx")
    lib_dependencies: list[str] = pinned("lucide-react")


class DetourLink(_Return):
    """Binding of `return_link.tsx`."""

    tag = "DetourLink"

    href: rx.Var[str]


class ReturnBar(_Return):
    """Binding of `return_link.tsx`."""

    tag = "ReturnBar"

    label: rx.Var[str]


def detour_link(*content: Child, href: Text, class_name: str = "") -> rx.Component:
    """A link that remembers the page it stands on, with the page's query."""
    return DetourLink.create(*children(*content), href=href, class_name=class_name)


def return_bar(label: str) -> rx.Component:
    """Leads back to where a `detour_link` was pressed; nothing where none was."""
    return ReturnBar.create(label=label)
