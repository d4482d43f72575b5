"""A menu of actions under a button."""

from typing import Any, Literal

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Handler, Text, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.primitives.icon import icon as icon_of
from orchestrator.ui.slots import Slotted
from orchestrator.ui.tsx import tsx


class _Menu(rx.Component):
    library = tsx("primitives/dropdown_menu.tsx")
    lib_dependencies: list[str] = pinned("@radix-ui/react-dropdown-menu", "lucide-react", *STYLE)


class DropdownMenu(_Menu, Slotted):
    """Binding of `dropdown_menu.tsx`."""

    tag = "DropdownMenu"

    trigger: rx.Component | None = None
    label: rx.Var[str]
    variant: rx.Var[str]
    size: rx.Var[str]
    align: rx.Var[str]


class MenuItem(_Menu):
    """One action of a menu."""

    tag = "MenuItem"

    href: rx.Var[str]
    destructive: rx.Var[bool]
    disabled: rx.Var[bool]
    on_click: rx.EventHandler[rx.event.no_args_event_spec]


class MenuLabel(_Menu):
    """A muted heading in a menu."""

    tag = "MenuLabel"


class MenuSeparator(_Menu):
    """A line in a menu."""

    tag = "MenuSeparator"


def dropdown_menu(
    *items: Child,
    label: Text,
    text: Text | None = None,
    icon: str | None = "ellipsis",
    trigger: rx.Component | None = None,
    variant: Literal["primary", "outline", "secondary", "ghost"] = "outline",
    size: Literal["sm", "md", "lg", "icon", "icon-sm"] = "icon",
    align: Literal["start", "end"] = "end",
    class_name: str = "",
) -> rx.Component:
    """A menu of `menu_item`s. The button shows `icon` and `text`, or `trigger` (no button in it); `label` names it."""
    parts = children(icon_of(icon) if icon else None, text)
    return DropdownMenu.create(
        *children(*items),
        trigger=trigger if trigger is not None else rx.fragment(*parts),
        label=label,
        variant=variant,
        size=size,
        align=align,
        class_name=class_name,
    )


def menu_item(
    text: Child,
    *,
    icon: str | None = None,
    on_click: Handler = None,
    href: Text | None = None,
    destructive: bool = False,
    disabled: Flag = False,
) -> rx.Component:
    """One action: a handler, or an address."""
    given: dict[str, Any] = present(on_click=on_click, href=href)
    return MenuItem.create(
        *children(icon_of(icon) if icon else None, text), destructive=destructive, disabled=disabled, **given
    )


def menu_label(text: Child) -> rx.Component:
    """A muted heading above items."""
    return MenuLabel.create(text)


def menu_separator() -> rx.Component:
    """A line between items."""
    return MenuSeparator.create()
