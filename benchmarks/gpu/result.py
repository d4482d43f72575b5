"""What one side of the bench took: the time of each step and the most memory it held."""

import json
import resource
from collections.abc import Sequence
from pathlib import Path

import torch


def print_result(settings: str, times: Sequence[float], loss: float, wall: float) -> None:
    """Writes it beside the settings."""
    on_gpu = torch.cuda.is_available()
    peak = torch.cuda.max_memory_reserved() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"times": list(times), "loss": loss, "wall_s": wall, "peak_bytes": peak}
    Path(settings).with_name("told.json").write_text(json.dumps(told))
