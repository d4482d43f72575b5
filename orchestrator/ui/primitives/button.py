"""The button; a link in a button's clothes when it has an address."""

from typing import Any, Literal

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Handler, Text, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.primitives.icon import icon as icon_of
from orchestrator.ui.tsx import tsx

Variant = Literal["primary", "outline", "secondary", "ghost", "destructive", "danger", "link"]
Size = Literal["sm", "md", "lg", "icon", "icon-sm"]


class Button(rx.Component):
    """Binding of `button.tsx`."""

    library = tsx("primitives/button.tsx")
    tag = "Button"
    alias = "LoreelButton"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    variant: rx.Var[str]
    size: rx.Var[str]
    loading: rx.Var[bool]
    disabled: rx.Var[bool]
    href: rx.Var[str]
    download: rx.Var[bool]
    external: rx.Var[bool]
    type: rx.Var[str]


def button(
    *content: Child,
    variant: Variant = "outline",
    size: Size = "md",
    icon: str | None = None,
    icon_right: str | None = None,
    loading: Flag = False,
    disabled: Flag = False,
    href: Text | None = None,
    download: Flag | None = None,
    external: Flag | None = None,
    submit: bool = False,
    on_click: Handler = None,
    aria_label: Text | None = None,
    id: str | None = None,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """A button. `submit`: sends the form around it. `icon` and `icon_right` are lucide names."""
    return Button.create(
        *children(icon_of(icon) if icon else None, *content, icon_of(icon_right) if icon_right else None),
        variant=variant,
        size=size,
        loading=loading,
        disabled=disabled,
        type="submit" if submit else "button",
        class_name=class_name,
        **present(href=href, download=download, external=external, on_click=on_click, aria_label=aria_label, id=id),
        **props,
    )


def icon_button(name: str, label: Text, size: Size = "icon", variant: Variant = "ghost", **props: Any) -> rx.Component:
    """A square button with only an icon; `label` is what a screen reader says."""
    return button(icon=name, aria_label=label, size=size, variant=variant, **props)
