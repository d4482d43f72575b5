"""The arguments of an event, in the types of the handler's parameters; what no page of ours sends is refused."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_origin, get_type_hints

from reflex_base.utils.form import FORM_DATA_ENTRIES_KEY

from orchestrator.domain.numbers import LARGEST_ID, parse_id
from orchestrator.states.shared.guards import MARK

LONGEST_TEXT = 1_000_000
"""Characters of one text; no field of a page takes as many."""
_NONE = inspect.Parameter.empty


class WrongPayload(ValueError):
    """An argument is missing, unknown, or of another type than its parameter."""


def typed_payload(handler: Callable[..., Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as the handler takes it.

    Raises:
        WrongPayload.
    """
    if not hasattr(handler, MARK):  # one of Reflex itself
        return dict(payload)
    parameters = _parameters(handler)
    needed = {name for name, (_, default) in parameters.items() if default is _NONE}
    if not needed <= set(payload) <= set(parameters):
        raise WrongPayload
    return {name: _typed(parameters[name][0], value) for name, value in payload.items()}


@cache
def _parameters(handler: Callable[..., Any]) -> Mapping[str, tuple[Any, Any]]:
    """(type, default) by the names of the parameters after `self`."""
    hints = get_type_hints(handler)
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    return {one.name: (hints.get(one.name, Any), one.default) for one in parameters}


def _typed(kind: Any, value: Any) -> Any:
    if kind is str:
        return _text(value)
    if kind is bool:
        return _refuse_unless(isinstance(value, bool), value)
    if kind is int:
        return _number(value)
    if get_origin(kind) is dict:
        return _form(value)
    return value


def _text(value: Any) -> str:
    """A text; a page may send a number of a row, and null of an emptied field."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    return _refuse_unless(isinstance(value, str) and len(value) <= LONGEST_TEXT, value)


def _number(value: Any) -> int:
    """A number that the database can hold, or its digits."""
    if isinstance(value, str):
        number = parse_id(value)
        return _refuse_unless(bool(number) or value == "0", number)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _refuse_unless(type(value) is int and abs(value) <= LARGEST_ID, value)


def _form(value: Any) -> dict[str, Any]:
    """Fields by name; each is a text, a switch, a number, or several texts."""
    if not isinstance(value, dict):
        raise WrongPayload
    entries = value.get(FORM_DATA_ENTRIES_KEY)
    if entries is None:
        return {name: _field(field) for name, field in value.items()}
    if not isinstance(entries, list) or not all(isinstance(entry, list) and len(entry) == 2 for entry in entries):
        raise WrongPayload
    return {FORM_DATA_ENTRIES_KEY: [[_text(name), _field(field)] for name, field in entries]}


def _field(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(one) for one in value]
    if value is None or isinstance(value, bool | float):
        return value
    return _number(value) if isinstance(value, int) else _text(value)


def _refuse_unless(fits: bool, value: Any) -> Any:
    if not fits:
        raise WrongPayload
    return value
