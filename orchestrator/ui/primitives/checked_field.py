"""A field that checks its own text in the browser as one leaves it."""

import reflex as rx

from orchestrator.ui.kit import Child, Text, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class CheckedField(rx.Component):
    """Binding of `checked_field.tsx`."""

    library = tsx("primitives/checked_field.tsx")
    tag = "CheckedField"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    label: rx.Var[str]
    hint: rx.Var[str]
    error: rx.Var[str]
    control_id: rx.Var[str]
    empty: rx.Var[str]
    pattern: rx.Var[str]
    wrong: rx.Var[str]
    same_as: rx.Var[str]
    differs: rx.Var[str]


def checked_field(
    label: Text,
    *control: Child,
    control_id: str,
    error: Text | None = None,
    hint: Text | None = None,
    empty: str | None = None,
    pattern: str | None = None,
    wrong: str | None = None,
    same_as: str | None = None,
    differs: str | None = None,
) -> rx.Component:
    """As `field`; `pattern` (JavaScript) with its sentence `wrong`, `same_as` (another control's name) with `differs`."""
    given = present(error=error, hint=hint, empty=empty, pattern=pattern, wrong=wrong, same_as=same_as, differs=differs)
    return CheckedField.create(*children(*control), label=label, control_id=control_id, **given)
