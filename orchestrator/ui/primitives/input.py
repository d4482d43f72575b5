"""Text controls: one line, a password, several lines."""

from typing import Any, Literal

import reflex as rx

from orchestrator.ui.kit import Flag, Handler, Number, Text, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class _TextControl(rx.Component):
    """The props that all text controls take; handlers get the text itself."""

    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    value: rx.Var[Any]
    default_value: rx.Var[Any]
    name: rx.Var[str]
    type: rx.Var[str]
    placeholder: rx.Var[str]
    auto_complete: rx.Var[str]
    auto_focus: rx.Var[bool]
    input_mode: rx.Var[str]
    max_length: rx.Var[int]
    rows: rx.Var[int]
    disabled: rx.Var[bool]
    required: rx.Var[bool]
    invalid: rx.Var[bool]
    mono: rx.Var[bool]
    suffix: rx.Var[str]
    control_size: rx.Var[str]
    spell_check: rx.Var[bool]
    on_change: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_blur: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_enter: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class Input(_TextControl):
    """Binding of `input.tsx`."""

    library = tsx("primitives/input.tsx")
    tag = "Input"
    alias = "LoreelInput"

    limit: rx.Var[int]


class Textarea(_TextControl):
    """Binding of `input.tsx`, several lines."""

    library = tsx("primitives/input.tsx")
    tag = "Textarea"
    alias = "LoreelTextarea"


class PasswordInput(_TextControl):
    """Binding of `password_input.tsx`."""

    library = tsx("primitives/password_input.tsx")
    tag = "PasswordInput"
    alias = "LoreelPasswordInput"


def input(
    *,
    name: str | None = None,
    value: Text | Number | None = None,
    default_value: Text | Number | None = None,
    on_change: Handler = None,
    on_blur: Handler = None,
    on_enter: Handler = None,
    type: str = "text",
    placeholder: Text | None = None,
    auto_complete: str | None = None,
    input_mode: Literal["text", "numeric", "decimal", "email", "url", "search"] | None = None,
    suffix: Text | None = None,
    mono: bool = False,
    size: Literal["md", "lg"] = "md",
    disabled: Flag = False,
    invalid: Flag | None = None,
    id: str | None = None,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """One line of text. Handlers get the text; `value` may be a state var (typing never jumps)."""
    given = present(
        name=name, value=value, default_value=default_value, on_change=on_change, on_blur=on_blur, on_enter=on_enter,
        placeholder=placeholder, auto_complete=auto_complete, input_mode=input_mode, suffix=suffix, invalid=invalid, id=id,
    )  # fmt: skip
    return Input.create(
        type=type, mono=mono, control_size=size, disabled=disabled, class_name=class_name, **given, **props
    )


def password_input(
    *,
    name: str = "password",
    value: Text | None = None,
    on_change: Handler = None,
    on_blur: Handler = None,
    auto_complete: Literal["current-password", "new-password"] = "current-password",
    placeholder: Text | None = None,
    size: Literal["md", "lg"] = "md",
    disabled: Flag = False,
    id: str | None = None,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """A password with a show button and a Caps Lock hint."""
    given = present(value=value, on_change=on_change, on_blur=on_blur, placeholder=placeholder, id=id)
    return PasswordInput.create(
        name=name,
        auto_complete=auto_complete,
        control_size=size,
        disabled=disabled,
        class_name=class_name,
        **given,
        **props,
    )


def textarea(
    *,
    name: str | None = None,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    on_blur: Handler = None,
    placeholder: Text | None = None,
    rows: int = 3,
    mono: bool = False,
    disabled: Flag = False,
    id: str | None = None,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """Several lines of text."""
    given = present(
        name=name,
        value=value,
        default_value=default_value,
        on_change=on_change,
        on_blur=on_blur,
        placeholder=placeholder,
        id=id,
    )
    return Textarea.create(rows=rows, mono=mono, disabled=disabled, class_name=class_name, **given, **props)
