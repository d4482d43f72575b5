"""Normalizes Unicode text, and repairs text that was decoded with a wrong encoding."""

import re
import unicodedata
from typing import Any

REPLACEMENT = "\ufffd"
"""The character that decoders put in place of bytes that they cannot decode."""

_KEPT = "\n\t\u200c\u200d"
_FLAG = re.compile("(\U0001f3f4[\U000e0030-\U000e007a]{1,8}\U000e007f)")
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def normalize_text(text: str) -> str:
    """The text without control and direction marks, and composed (NFC): macOS decomposes the "ü" of a file name.

    Joiners stay: Persian words and the emoji of families are written with them. So do the signs of regions' flags.
    """
    if text.isascii() and text.isprintable():
        return text
    parts = [part if _FLAG.fullmatch(part) else "".join(filter(_is_used, part)) for part in _FLAG.split(text)]
    return unicodedata.normalize("NFC", "".join(parts))


def dropped_characters(text: str) -> bool:
    """Whether `normalize_text` leaves out a character that may mean something: a direction, or a private sign."""
    if text.isascii():
        return False
    bare = _FLAG.sub("", text)
    return any(not _is_used(c) and (unicodedata.category(c) == "Co" or c in _DIRECTIONS) for c in bare)


def _is_used(char: str) -> bool:
    return char in _KEPT or unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cf")


def storable(value: Any) -> Any:
    """A JSON value whose texts a database can store: without NUL, and without half surrogate pairs."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def repair_encoding(text: str) -> str:
    """Repairs UTF-8 that was decoded as Windows-1252 ("GrÃ¼n" for "Grün"); other text is returned unchanged."""
    if text.isascii():
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def has_encoding_error(text: str) -> bool:
    """Whether the text was decoded with a wrong encoding."""
    return REPLACEMENT in text or repair_encoding(text) != text
