"""Loads a video language model from a folder of safetensors: the language model in NF4, the eye and the head whole."""

import functools
import inspect
from typing import Any

import torch
from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoConfig, AutoModelForImageTextToText
from transformers.modeling_utils import slice_logits_to_keep
from transformers.utils import is_flash_attn_2_available

from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, nf4_config
from jobs.families.video_llm.architecture import Architecture
from jobs.families.weights import read_weights


def load_llm(plan: Plan, architecture: Architecture) -> Any:
    """The model, its loss computed as it was pretrained.

    Raises:
        Invalid: the files do not fit the config.
    """
    wide = torch.float32 if plan.device == "cpu" else torch.bfloat16
    more: dict[str, Any] = {"dtype": wide}
    if plan.four_bit:
        skip = ("lm_head", *architecture.eyes)
        more |= {"quantization_config": nf4_config(skip, plan.device), "device_map": {"": plan.device}}
    more |= attention(plan)
    model: Any = read_weights(AutoModelForImageTextToText, plan.base, **more)
    keep_trainable_on_cpu(model)
    if "logits_to_keep" not in inspect.signature(model.forward).parameters:
        _let_pick(model)
    model.config.use_cache = plan.inference_only
    if plan.device != "cpu" and not plan.inference_only:
        # Activations of a long visual context are what fills a GPU: they are computed again instead of kept.
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    return model if plan.four_bit else model.to(plan.device)


def _let_pick(model: Any) -> None:
    """Teaches a model that scores the vocabulary at every place (VideoLLaMA 3) to do so where it is asked only."""
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


def attention(plan: Plan) -> dict[str, str]:
    """FlashAttention 2 (Dao 2023) where it is installed and the class takes it; else transformers' own choice, SDPA."""
    if plan.device == "cpu" or not is_flash_attn_2_available():
        return {}
    config = AutoConfig.from_pretrained(plan.base.folder, local_files_only=True, trust_remote_code=False)
    architecture: Any = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING.get(type(config), None)
    return {"attn_implementation": "flash_attention_2"} if getattr(architecture, "_supports_flash_attn", False) else {}
