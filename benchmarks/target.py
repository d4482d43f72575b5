"""What a figure is to reach: at most, or at least."""

from typing import TypedDict


class Unavailable(Exception):
    """A bench cannot be run on this machine; the sentence says why."""


class Target(TypedDict, total=False):
    """`{"max": 3.0}` or `{"min": 0.9}`, in the unit that the figure's name ends with."""

    max: float
    min: float


def meets(value: float | None, target: Target) -> bool:
    """False too when the figure is missing."""
    if value is None:
        return False
    return value <= target.get("max", float("inf")) and value >= target.get("min", float("-inf"))


def bound_of(target: Target | None) -> float | None:
    """The number that a target asks for."""
    return None if target is None else target.get("min", target.get("max"))
