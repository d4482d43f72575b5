"""A choice from a list that opens."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Flag, Handler, Options, Text, as_options, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class Select(rx.Component):
    """Binding of `select.tsx`."""

    library = tsx("primitives/select.tsx")
    tag = "Select"
    alias = "LoreelSelect"
    lib_dependencies: list[str] = pinned("@radix-ui/react-select", "lucide-react", *STYLE)

    options: rx.Var[list[dict[str, Any]]]
    value: rx.Var[str]
    default_value: rx.Var[str]
    placeholder: rx.Var[str]
    name: rx.Var[str]
    disabled: rx.Var[bool]
    invalid: rx.Var[bool]
    muted: rx.Var[bool]
    label: rx.Var[str]
    on_change: rx.EventHandler[rx.event.passthrough_event_spec(str)]


def select(
    options: Options,
    *,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    placeholder: Text = "Choose",
    name: str | None = None,
    label: Text | None = None,
    muted: bool = False,
    disabled: Flag = False,
    id: str | None = None,
    class_name: str = "",
) -> rx.Component:
    """`options`: strings, `(value, label)` pairs or dicts `{value, label, hint?, disabled?}`, or a var of such dicts.

    `muted`: the toolbar's look. `label`: for a screen reader when no `field` stands around it.
    """
    return Select.create(
        options=as_options(options),
        placeholder=placeholder,
        muted=muted,
        disabled=disabled,
        class_name=class_name,
        **present(value=value, default_value=default_value, on_change=on_change, name=name, label=label, id=id),
    )
