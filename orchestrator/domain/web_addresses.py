"""Addresses and origins as browsers, people and files write them, taken apart without raising."""

from urllib.parse import SplitResult, urlsplit

_NONE = urlsplit("")


def split_address(text: str) -> SplitResult:
    """The parts of an address; all of them are empty for a text that is none, such as `http://[a` or `//a:99999`."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return _NONE
    return parts
