"""Words as they are meant: read in a wrong encoding somewhere on their way, or alike to the eye and other letters."""

import unicodedata

LOST = "\ufffd"
"""Stands for a letter that could not be read."""


def as_seen(text: str) -> str:
    """Without control and direction marks, its letters composed: a Mac writes the "ü" of a file's name as two."""
    if text.isascii() and text.isprintable():
        return text
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cf"))
    return unicodedata.normalize("NFC", "".join(kept))


def mended(text: str) -> str:
    """The text as it was meant, when it is UTF-8 that was read as Windows-1252 ("GrÃ¼n" for "Grün"); else itself."""
    if text.isascii():
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def is_broken(text: str) -> bool:
    """Whether it holds letters that nobody meant."""
    return LOST in text or mended(text) != text
