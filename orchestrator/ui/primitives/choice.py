"""Choices that stand open: check, switch, preset cards, segmented row. Each may be held by a state var or by the browser."""

from typing import Any, TypedDict, Unpack

import reflex as rx

from orchestrator.ui.kit import Flag, Handler, Options, Text, as_options, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx

_PACKAGES = pinned(
    "@radix-ui/react-checkbox", "@radix-ui/react-radio-group", "@radix-ui/react-switch", "lucide-react", *STYLE
)


class _CheckboxRoot(rx.Component):
    library = tsx("primitives/choice.tsx")
    lib_dependencies: list[str] = _PACKAGES

    checked: rx.Var[bool]
    default_checked: rx.Var[bool]
    partly: rx.Var[bool]
    label: rx.Var[str]
    note: rx.Var[str]
    name: rx.Var[str]
    disabled: rx.Var[bool]
    boxed: rx.Var[bool]
    on_change: rx.EventHandler[rx.event.passthrough_event_spec(bool)]
    spoken: rx.Var[str]

    _rename_props: dict[str, str] = {"spoken": "ariaLabel"}


class Checkbox(_CheckboxRoot):
    """Binding of `choice.tsx`."""

    tag = "Checkbox"
    alias = "LoreelCheckbox"


class Switch(_CheckboxRoot):
    """Binding of `choice.tsx`."""

    tag = "Switch"
    alias = "LoreelSwitch"


class _Row(rx.Component):
    library = tsx("primitives/choice.tsx")
    lib_dependencies: list[str] = _PACKAGES

    options: rx.Var[list[dict[str, Any]]]
    value: rx.Var[str]
    default_value: rx.Var[str]
    label: rx.Var[str]
    name: rx.Var[str]
    on_change: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class RadioCards(_Row):
    """Binding of `choice.tsx`."""

    tag = "RadioCards"

    columns: rx.Var[int]


class Segmented(_Row):
    """Binding of `choice.tsx`."""

    tag = "Segmented"

    fill: rx.Var[bool]
    mono: rx.Var[bool]


class CheckOptions(TypedDict, total=False):
    """What a checkbox and a switch have in common."""

    checked: Flag
    default_checked: bool
    on_change: Handler
    note: Text
    name: str
    disabled: Flag
    aria_label: Text
    id: str


def checkbox(
    label: Text | None = None, *, partly: Flag | None = None, boxed: bool = False, **options: Unpack[CheckOptions]
) -> rx.Component:
    """A check with its label. `boxed`: the outlined chip of a target module, with `note` (a size) in it."""
    return Checkbox.create(boxed=boxed, **_check_props(label, options), **present(partly=partly))


def switch(label: Text | None = None, **options: Unpack[CheckOptions]) -> rx.Component:
    """A switch that acts at once."""
    return Switch.create(**_check_props(label, options))


def _check_props(label: Text | None, options: CheckOptions) -> dict[str, Any]:
    rest = {name: value for name, value in options.items() if name != "aria_label"}
    return {"disabled": False, **present(label=label, spoken=options.get("aria_label"), **rest)}


def radio_cards(
    options: Options,
    *,
    label: Text,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    name: str | None = None,
    columns: int = 3,
    class_name: str = "",
) -> rx.Component:
    """Preset cards. Options: dicts `{value, label, figure?, note?, disabled?}` (a line break in `note` holds)."""
    given = present(value=value, default_value=default_value, on_change=on_change, name=name)
    return RadioCards.create(options=as_options(options), label=label, columns=columns, class_name=class_name, **given)


def segmented(
    options: Options,
    *,
    label: Text,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    name: str | None = None,
    fill: bool = False,
    mono: bool = False,
    class_name: str = "",
) -> rx.Component:
    """A row of which one is taken: filters (`{value, label, count?}`), or a rank in a form with `fill=True`."""
    given = present(value=value, default_value=default_value, on_change=on_change, name=name)
    return Segmented.create(
        options=as_options(options), label=label, fill=fill, mono=mono, class_name=class_name, **given
    )
