"""Names of a recipe's parameters: which one an unknown name probably means."""

from collections.abc import Collection
from difflib import get_close_matches

OTHER_NAMES = {
    "lora_r": "qlora.r",
    "lora_rank": "qlora.r",
    "rank": "qlora.r",
    "lora_alpha": "qlora.alpha",
    "lora_dropout": "qlora.dropout",
    "lora_target": "qlora.target_modules",
    "quantization_bit": "qlora.bits",
    "neftune_noise_alpha": "optim.neftune_alpha",
    "init_weights": "qlora.init_lora_weights",
    "lr": "optim.learning_rate",
    "num_train_epochs": "optim.epochs",
    "num_epochs": "optim.epochs",
    "warmup_steps": "optim.warmup_ratio",
    "per_device_train_batch_size": "optim.batch_size",
    "train_batch_size": "optim.batch_size",
    "gradient_accumulation_steps": "optim.gradient_accumulation",
    "lr_scheduler_type": "optim.scheduler",
    "max_train_steps": "optim.max_steps",
    "max_grad_norm": "optim.max_grad_norm",
    "num_frames": "data.frames",
    "train_sampling_strategy": "data.group_by_length",
    "resolution": "data.size",
    "val_size": "data.validation_share",
}
"""What other trainers call a parameter; a name that is no parameter of ours is left out of the answers."""


def unknown_parameter(name: str, known: Collection[str]) -> str:
    """The sentence on a name that no parameter has, with the one that it probably means.

    Args:
        name: dotted, such as "optim.warmup_steps".
        known: the dotted names of all parameters.
    """
    meant = _meant(name, known)
    return f"There is no parameter {name!r}." + (f" Did you mean {meant}?" if meant else "")


def _meant(name: str, known: Collection[str]) -> str:
    last = name.rpartition(".")[2].lower()
    if OTHER_NAMES.get(last) in known:
        return OTHER_NAMES[last]
    by_last: dict[str, str] = {}
    for one in known:
        by_last.setdefault(one.rpartition(".")[2], one)
    # A name of one letter is like any other of one letter.
    close = [last] if last in by_last else get_close_matches(last, by_last, 1, 0.75) if len(last) > 2 else []
    return by_last[close[0]] if close else ""
