"""What one side of the bench took: the time of each step and the most memory it held."""

import json
import resource
from collections.abc import Sequence
from pathlib import Path

import torch


def write_result(settings: str, times: Sequence[float], loss: float, wall: float) -> None:
    """Writes `result.json` next to the settings.

    Args:
        settings: the path of the settings file.
        times: seconds at the end of each step.
        wall: seconds of the whole run.
    """
    on_gpu = torch.cuda.is_available()
    peak = torch.cuda.max_memory_reserved() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {"times": list(times), "loss": loss, "wall_s": wall, "peak_bytes": peak}
    Path(settings).with_name("result.json").write_text(json.dumps(result))
