"""A link that also takes dropped files and hands them to the uploader of the page that it opens."""

import reflex as rx

from orchestrator.ui.kit import Child, children
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class DropLink(rx.Component):
    """Binding of `drop_link.tsx`."""

    library = tsx("uploader/drop_link.tsx")
    tag = "DropLink"
    lib_dependencies: list[str] = pinned(*STYLE)

    href: rx.Var[str]


def drop_link(*content: Child, href: str, class_name: str = "") -> rx.Component:
    """`href`: a page with an `uploader`, which starts with the dropped files."""
    return DropLink.create(*children(*content), href=href, class_name=class_name)
