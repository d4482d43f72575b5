"""Words that were read in a wrong encoding somewhere on their way: found, and put right where that is certain."""

LOST = "\ufffd"
"""Stands for a letter that could not be read."""


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
