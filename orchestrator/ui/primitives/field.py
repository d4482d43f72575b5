"""A labelled control with its hint or its error, wired for screen readers."""

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Text, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.slots import Slotted
from orchestrator.ui.tsx import tsx


class Field(Slotted):
    """Binding of `field.tsx`."""

    library = tsx("primitives/field.tsx")
    tag = "Field"
    alias = "LoreelField"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    label: rx.Var[str]
    hint: rx.Var[str]
    error: rx.Var[str]
    error_id: rx.Var[str]
    required: rx.Var[bool]
    control_id: rx.Var[str]
    group: rx.Var[bool]
    aside: rx.Component | None = None
    help: rx.Component | None = None


def field(
    label: Text,
    *control: Child,
    hint: Text | None = None,
    error: Text | None = None,
    error_id: Text | None = None,
    required: Flag = False,
    control_id: str | None = None,
    group: bool = False,
    aside: rx.Component | None = None,
    help: rx.Component | None = None,
    class_name: str = "",
) -> rx.Component:
    """Label above, control, then `error` in place of `hint`. `group`: for radios, segments and checks.

    `aside`: at the end of the label's line; `help`: a "?" after the label.
    `error_id`: where the error stands elsewhere (beneath a row of narrow fields), the id of its sentence; "" while right.
    """
    return Field.create(
        *children(*control),
        label=label,
        required=required,
        group=group,
        class_name=class_name,
        **present(hint=hint, error=error, error_id=error_id, control_id=control_id, aside=aside, help=help),
    )
