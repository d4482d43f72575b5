"""Values that the browser words: sizes, percentages, durations, figures; text to copy."""

from typing import Any, Literal

import reflex as rx

from orchestrator.ui.kit import Number, Text, present
from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx

Form = Literal["number", "figure", "percent", "bytes", "compact", "duration"]


class _Worded(rx.Component):
    library = tsx("primitives/values.tsx")
    lib_dependencies: list[str] = pinned("lucide-react")


class Value(_Worded):
    """Binding of `values.tsx`."""

    tag = "Value"
    alias = "LoreelValue"

    value: rx.Var[Any]
    form: rx.Var[str]
    digits: rx.Var[int]
    empty: rx.Var[str]


class CopyText(_Worded):
    """Binding of `values.tsx`."""

    tag = "CopyText"

    text: rx.Var[str]
    label: rx.Var[str]
    shown: rx.Var[str]
    button: rx.Var[bool]


def value(
    number: Number | None,
    form: Form = "number",
    *,
    digits: int | None = None,
    empty: str = "\u2013",
    class_name: str = "",
) -> rx.Component:
    """A number in the product's words.

    number 1,234 - figure 0.412, 6.7e-5 - percent 62 % (of 0..100) - bytes 4.6 GB - compact 2.36 M - duration 23 min (of
    seconds). None shows `empty`.
    """
    given = present(value=number, digits=digits)
    return Value.create(form=form, empty=empty, class_name=class_name, **given)


def copy_text(text: Text, *, label: str = "Copy", shown: Text | None = None, class_name: str = "") -> rx.Component:
    """A small button that copies `text`; `shown` stands before the icon in mono."""
    return CopyText.create(text=text, label=label, class_name=class_name, **present(shown=shown))


def copy_button(label: str, text: Text = "") -> rx.Component:
    """A button like the others of a page that copies `text`, or the page's address."""
    return CopyText.create(text=text, label=label, button=True)
