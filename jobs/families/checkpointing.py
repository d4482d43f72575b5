"""Gradient checkpointing in which frozen modules build no graph."""

from typing import Any


def enable_checkpointing(model: Any) -> None:
    """Activations are computed again in the backward pass instead of being kept."""
    model.gradient_checkpointing_enable({"use_reentrant": False})
    drop_gradients_of_inputs(model)


def drop_gradients_of_inputs(model: Any) -> None:
    """Removes the hooks by which transformers and PEFT let the inputs of a checkpointed model require gradients.

    They do so for the inputs of a frozen vision tower as well, which then builds a graph at each step. Checkpointing
    that is not reentrant needs none of them. Must be called after each of the two, because a second call of
    `enable_input_require_grads` forgets the hooks of the first.
    """
    if hasattr(model, "disable_input_require_grads"):
        model.disable_input_require_grads()
