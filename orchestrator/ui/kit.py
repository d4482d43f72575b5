"""What every wrapper of the kit shares: the types of its arguments and the dropping of absent ones."""

from typing import Any, TypeVar

import reflex as rx

Text = str | rx.Var[str]
Flag = bool | rx.Var[bool]
Number = Any
"""A number or a Var of one; `Any`, because the checker knows no order between the two."""
Child = rx.Component | str | rx.Var[Any] | None
Handler = Any
"""An event handler, an event spec, a list of them, or a lambda that returns one."""
Options = list[dict[str, Any]] | list[tuple[str, str]] | list[str] | rx.Var[Any]

T = TypeVar("T", bound=rx.Component)


def present(**props: Any) -> dict[str, Any]:
    """The props that were given: None means "leave it to the component"."""
    return {name: value for name, value in props.items() if value is not None}


def children(*items: Child) -> list[Any]:
    """The children that are there."""
    return [item for item in items if item is not None]


def as_options(options: Options) -> Any:
    """Options as the TSX wants them: `{value, label, hint?, disabled?}`; a reactive list passes as it is."""
    if isinstance(options, rx.Var):
        return options
    rows: list[dict[str, Any]] = []
    for option in options:
        if isinstance(option, dict):
            rows.append(option)
        elif isinstance(option, str):
            rows.append({"value": option, "label": option})
        else:
            rows.append({"value": option[0], "label": option[1]})
    return rows


def classes(*names: str) -> str:
    """Class names joined by one space."""
    return " ".join(name for name in names if name)
