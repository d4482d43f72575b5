"""Which texts a database can hold, whichever one it is: asked once, where anything comes in."""

import math
from typing import Any

MAX_DEPTH = 40
"""How deep lists and objects may be nested in anything that is sent here."""


def is_storable(text: str) -> bool:
    """False for a text with NUL, which PostgreSQL refuses, or half a surrogate pair, which is no Unicode text."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def value_problem(value: Any, where: str = "", depth: int = 0) -> tuple[str, str] | None:
    """(place, sentence) of the first thing inside a decoded JSON value that cannot be stored; None when all can."""
    if isinstance(value, str):
        if not is_storable(value):
            return where, "This text holds a character that is no text (NUL or half of a character pair). Remove it."
    elif isinstance(value, float):
        if not math.isfinite(value):
            return where, "Not a number, or infinite. Send a number."
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            return where, f"Lists and objects may be nested at most {MAX_DEPTH} deep."
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            place = f"{where}.{key}" if where else str(key)
            if isinstance(key, str) and not is_storable(key):
                return where, "A name in this object holds a character that is no text. Remove it."
            if problem := value_problem(inner, place, depth + 1):
                return problem
    return None
