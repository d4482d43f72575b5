"""Small things that several pages show: a labelled value, a job's colour, a clip's addresses, exact times."""

from dataclasses import dataclass, field

from orchestrator.domain import formatting

_SMALL_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


SERIES_COUNT = 7
"""Chart colours; a job has the same one on every page."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value."""

    caption: str
    value: str
    title: str = field(default="")


def series_of(job_id: int) -> int:
    """The number of a job's chart colour, 1 to 7."""
    return (job_id - 1) % SERIES_COUNT + 1


def in_words(number: int) -> str:
    """1 -> "one"; from ten on as digits."""
    return _SMALL_NUMBERS[number] if 0 <= number < len(_SMALL_NUMBERS) else f"{number:,}"


def clip_address(clip_id: int, what: str) -> str:
    """The authenticated address of a clip's `thumbnail` or `preview`."""
    return f"/api/v1/clips/{clip_id}/{what}"


def clock(seconds: float) -> str:
    """A clip's length as players write it: 9.4 -> "0:09"; under one second with its tenths."""
    if seconds < 1:
        return f"{seconds:.1f}{formatting.NBSP}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
