"""The times of a span in annotation files, and the rule that all spans of a film stand on one side of a split."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Any

from orchestrator.domain.annotations import Span
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import Entry

_SECONDS = re.compile(r"(\d+(?:[.,]\d+)?) ?(ms|s|sec)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)")


def read_span(start: Any, end: Any) -> Span | None:
    """The span between two times: seconds, or a clock's hours, minutes and seconds (1:02:03.5).

    Returns:
        None where neither is stated. A span with NaN where one cannot be read, so that `EntryCollector` names the row.
    """
    if _is_blank(start) and _is_blank(end):
        return None
    return Span(_seconds(start), _seconds(end))


def is_span(span: Span | None) -> bool:
    """Whether it is a part that a film may have, or the whole film."""
    return span is None or 0 <= span.start_s < span.end_s < float("inf")


def films_on_one_side(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """The entries with all spans of a film for validation, where one of them is.

    Returns:
        (the entries, the films of which a span was named for training too).
    """
    named: dict[Split, set[str]] = defaultdict(set)
    for entry in entries:
        if not entry.problem:
            named[entry.split].add(entry.name)
    held_out = named[Split.VALIDATION] & (named[Split.TRAIN] | named[Split.AUTO])
    moved = [
        replace(entry, split=Split.VALIDATION) if entry.name in held_out and not entry.problem else entry
        for entry in entries
    ]
    return moved, sorted(held_out & named[Split.TRAIN])


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def _seconds(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    if plain := _SECONDS.fullmatch(text):
        return float(plain[1].replace(",", ".")) / (1_000 if (plain[2] or "").lower() == "ms" else 1)
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    return nan
