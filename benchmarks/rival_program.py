"""Run by the rival's own Python: LLaMA-Factory's training, with the time of each step written down."""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Arguments: the settings of a run as JSON, the file for the times."""
    from llamafactory.train.tuner import run_exp  # pyright: ignore[reportMissingImports]
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        """Seconds at the end of each step."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def on_step_end(self, *_: object, **__: object) -> None:
            self.times.append(time.monotonic())

    clock = Clock()
    run_exp(json.loads(Path(sys.argv[1]).read_text()), [clock])
    Path(sys.argv[2]).write_text(json.dumps(clock.times))


if __name__ == "__main__":
    main()
