"""LLaMA-Factory against Loreel with adapters in the vision tower, where no features of clips can be cached."""

from benchmarks.rival import compare
from benchmarks.target import Target

TARGETS: dict[str, Target] = {"wall_times": {"min": 1.5}, "step_times": {"min": 1.5}}


def run() -> dict[str, float]:
    """`..._times`: how many times longer LLaMA-Factory takes."""
    return compare(vision=True)
