"""Keeps libraries from writing into the job's log what no reader of it needs."""

import logging
import os
import warnings


def silence_libraries() -> None:
    """Call before torch, transformers or bitsandbytes are imported."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that spin while they wait starve each other on a busy machine: 3 steps with it, 20 without, side by side.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TQDM_DISABLE", "1")
    # bitsandbytes mentions that it will not fetch kernels from a hub, at each start.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*expandable_segments.*")
