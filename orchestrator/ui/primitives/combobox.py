"""A text field that offers what there is already, and takes something new as well."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Handler, Options, Text, as_options, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class Combobox(rx.Component):
    """Binding of `combobox.tsx`."""

    library = tsx("primitives/combobox.tsx")
    tag = "Combobox"
    alias = "LoreelCombobox"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    options: rx.Var[list[dict[str, Any]]]
    value: rx.Var[str]
    name: rx.Var[str]
    placeholder: rx.Var[str]
    fresh: rx.Var[str]
    noun: rx.Var[str]
    max_length: rx.Var[int]
    on_change: rx.EventHandler[rx.event.passthrough_event_spec(str)]


def combobox(
    options: Options,
    *,
    value: Text,
    on_change: Handler,
    noun: str,
    fresh: Text = "",
    name: str | None = None,
    placeholder: Text | None = None,
    max_length: int | None = None,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """`options` as in `select`, their `hint` at the right; `on_change` gets the text like an `input`'s.

    Args:
        noun: what the options are, in the plural ("classes").
        fresh: the note below the field when the typed text is not among the options ("New class").
    """
    given = present(name=name, placeholder=placeholder, max_length=max_length)
    return Combobox.create(
        options=as_options(options),
        value=value,
        on_change=on_change,
        noun=noun,
        fresh=fresh,
        class_name=class_name,
        **given,
        **props,
    )
