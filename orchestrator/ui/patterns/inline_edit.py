"""Words that are corrected where they stand: a press makes them a field, Enter saves, Escape leaves them as they were."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Handler, Number, Options, Text, as_options, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class InlineEdit(rx.Component):
    """Binding of `inline_edit.tsx`."""

    library = tsx("patterns/inline_edit.tsx")
    tag = "InlineEdit"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    value: rx.Var[str]
    what: rx.Var[str]
    of: rx.Var[str]
    multiline: rx.Var[bool]
    most: rx.Var[int]
    problem: rx.Var[str]
    attempt: rx.Var[int]
    options: rx.Var[list[dict[str, Any]]]
    noun: rx.Var[str]
    fresh: rx.Var[str]
    on_save: rx.EventHandler[rx.event.passthrough_event_spec(str)]


def inline_edit(
    *trailing: Child,
    value: Text,
    what: Text,
    of: Text,
    on_save: Handler,
    multiline: Flag = False,
    most: Number = 200,
    problem: Text = "",
    attempt: Number = 0,
    options: Options | None = None,
    noun: str | None = None,
    fresh: Text | None = None,
    class_name: str = "",
) -> rx.Component:
    """The field "`what` of `of`", `trailing` stands to the right of the text; it closes as soon as `value` is what was typed.

    Args:
        most: characters at most.
        problem: why this text was refused; it stays open with it.
        attempt: another number for each refusal, so that the same sentence is said again.
        options, noun, fresh: what one line offers, as in `combobox`.
    """
    return InlineEdit.create(
        *children(*trailing),
        value=value,
        what=what,
        of=of,
        on_save=on_save,
        multiline=multiline,
        most=most,
        problem=problem,
        attempt=attempt,
        class_name=class_name,
        **present(options=None if options is None else as_options(options), noun=noun, fresh=fresh),
    )
