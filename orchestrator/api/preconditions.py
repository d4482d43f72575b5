"""Conditions of a request for a file, by RFC 9110 section 13: 304 when the client has it, 412 when it has changed."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def refused_status(request: Mapping[str, str], file: Mapping[str, str]) -> int | None:
    """304 or 412 if a condition of the request does not hold for the file, in the order of section 13.2.2.

    Args:
        request: the headers, by names in lower case.
        file: the headers `etag` and `last-modified` of the file.
    """
    changed = _date(file["last-modified"])
    if "if-match" in request:
        if not _matches(request["if-match"], file["etag"], weakly=False):
            return 412
    elif (until := _date(request.get("if-unmodified-since"))) and changed and changed > until:
        return 412
    if "if-none-match" in request:
        return 304 if _matches(request["if-none-match"], file["etag"], weakly=True) else None
    since = _date(request.get("if-modified-since"))
    return 304 if since and changed and changed <= since else None


def _matches(header: str, etag: str, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    tags = _TAG.findall(header)
    return etag in ([tag.removeprefix("W/") for tag in tags] if weakly else tags)


def _date(text: str | None) -> datetime | None:
    """None for what is no date with a zone: such a condition must be ignored."""
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else None
