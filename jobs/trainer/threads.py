"""The number of threads for a small model: waking a second one takes longer than many of its matrix products."""

from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

MIN_INPUT_SIZE = 900_000
"""Elements of a layer's input from which a second thread helps. Measured on 2 cores with threads that sleep while they
wait (`silence_libraries`): 140,000 take 36 ms a step with one thread and 63 with two, 590,000 72 and 83, 1,180,000 157
and 143. Threads that spin are quicker on an idle machine, and twenty times slower on a busy one."""
_SMALL = 8_000_000
"""Parameters up to which a model encodes a clip with one thread."""


class ThreadTuner(TrainerCallback):
    """Measures layer inputs in the first step, then uses one thread where that is quicker, by the batch alone."""

    def __init__(self, model: Any) -> None:
        self._widest, self._all = 0, torch.get_num_threads()
        linear = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear) or hasattr(layer, "lora_A")]
        self._hooks = [layer.register_forward_pre_hook(self._measure) for layer in linear]

    def _measure(self, layer: Any, given: tuple[Any, ...]) -> None:
        self._widest = max(self._widest, given[0].numel())

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._hooks:
            self._widest = 0  # an evaluation before it does not count

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if not self._hooks:
            return
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        if 0 < self._widest < MIN_INPUT_SIZE:
            torch.set_num_threads(1)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        torch.set_num_threads(self._all)


def encoding_threads(model: Any, device: str) -> int:
    """How many clips are encoded at once: on a processor a small model uses one thread for each.

    A large one uses all threads for a clip, and a GPU encodes one after the other.
    """
    small = sum(parameter.numel() for parameter in model.parameters()) < _SMALL
    return torch.get_num_threads() if small and device == "cpu" else 1
