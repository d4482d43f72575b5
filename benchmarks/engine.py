"""LLaMA-Factory against us: the same tiny Qwen2-VL in 4 bits, vision frozen, 3 epochs of 200 clips, wall and step."""

from benchmarks.rival import compare
from benchmarks.target import Target

TARGETS: dict[str, Target] = {"wall_times": {"min": 3.0}, "step_times": {"min": 3.0}}


def run() -> dict[str, float]:
    """`..._times`: how many times longer LLaMA-Factory takes."""
    return compare(vision=False)
