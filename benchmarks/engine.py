"""LLaMA-Factory against Loreel: the same tiny Qwen2-VL in 4 bits, frozen vision tower, 3 epochs of 200 clips."""

from benchmarks.rival import compare
from benchmarks.target import Target

TARGETS: dict[str, Target] = {"wall_times": {"min": 3.0}, "step_times": {"min": 3.0}}


def run() -> dict[str, float]:
    """`..._times`: how many times longer LLaMA-Factory takes."""
    return compare(vision=False)
