"""The precision of a forward pass outside of the Trainer, which has to be that of training."""

import torch


def training_precision(device: str) -> torch.autocast:
    """The autocast under which the Trainer runs its steps: bf16 on a GPU, nothing on a processor."""
    return torch.autocast(device.split(":")[0], torch.bfloat16, enabled=device != "cpu")
