"""Loads a video language model from a folder of safetensors: the language model in NF4, the eye and the head whole."""

import functools
import inspect
from typing import Any

import torch
from transformers import AutoModelForImageTextToText
from transformers.modeling_utils import slice_logits_to_keep

from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, nf4_config
from jobs.families.video_llm.kinds import Kind
from orchestrator.domain.errors import Invalid


def load_llm(plan: Plan, kind: Kind) -> Any:
    """The model, its loss computed as it was pretrained.

    Raises:
        Invalid: the files do not fit the config.
    """
    wide = torch.float32 if plan.device == "cpu" else torch.bfloat16
    more: dict[str, Any] = {"dtype": wide}
    if plan.four_bit:
        skip = ("lm_head", *kind.eyes)
        more |= {"quantization_config": nf4_config(skip, plan.device), "device_map": {"": plan.device}}
    try:
        model: Any = AutoModelForImageTextToText.from_pretrained(
            plan.base.folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, **more
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Invalid(f"The base model could not be loaded: {first[:300]} Register it again.") from error
    keep_trainable_on_cpu(model)
    if "logits_to_keep" not in inspect.signature(model.forward).parameters:
        _let_pick(model)
    model.config.use_cache = plan.serves
    if plan.device != "cpu" and not plan.serves:
        # Activations of a long visual context are what fills a GPU: they are computed again instead of kept.
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    return model if plan.four_bit else model.to(plan.device)


def _let_pick(model: Any) -> None:
    """Teaches a model that scores the vocabulary at every place (Video-LLaMA) to do so where it is asked only."""
    whole = model.forward

    @functools.wraps(whole)
    def forward(*args: Any, logits_to_keep: Any = 0, **more: Any) -> Any:
        hook = model.lm_head.register_forward_pre_hook(
            lambda _, given: (slice_logits_to_keep(given[0], logits_to_keep), *given[1:])
        )
        try:
            return whole(*args, **more)
        finally:
            hook.remove()

    model.forward = forward
