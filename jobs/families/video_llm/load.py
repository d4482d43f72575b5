"""Loads a video language model from a folder of safetensors; its vision tower and its head are never quantized."""

import functools
import inspect
from typing import Any

import torch
from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoConfig, AutoModelForImageTextToText
from transformers.modeling_utils import slice_logits_to_keep
from transformers.utils import is_flash_attn_2_available

from jobs.families.checkpointing import enable_checkpointing
from jobs.families.precision import base_precision
from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, quantization_options
from jobs.families.video_llm.architecture import Architecture
from jobs.families.weights import read_weights


def load_llm(plan: Plan, architecture: Architecture) -> Any:
    """The model; on a GPU with gradient checkpointing, unless it is for inference only.

    Raises:
        Invalid: the files do not fit the config.
    """
    options = quantization_options(plan, ("lm_head", *architecture.vision_modules)) | attention_options(plan)
    model: Any = read_weights(AutoModelForImageTextToText, plan.base, dtype=base_precision(plan), **options)
    keep_trainable_on_cpu(model)
    if "logits_to_keep" not in inspect.signature(model.forward).parameters:
        _add_logits_to_keep(model)
    if getattr(model.config, "additional_vocab_size", 0):
        _add_words_to_loss(model)
    for config in (model.config, model.config.get_text_config()):  # some forwards read only that of the language model
        config.use_cache = plan.inference_only
    if plan.device != "cpu" and not plan.inference_only:
        # The activations of a long visual context fill a GPU's memory: they are computed again instead of kept.
        enable_checkpointing(model)
    return model if plan.four_bit else model.to(plan.device)


def _add_logits_to_keep(model: Any) -> None:
    """Gives `forward` the argument `logits_to_keep`, which VideoLLaMA 3 lacks: logits only where they are needed."""
    original = model.forward

    @functools.wraps(original)
    def forward(*args: Any, logits_to_keep: Any = 0, **kwargs: Any) -> Any:
        hook = model.lm_head.register_forward_pre_hook(
            lambda _, inputs: (slice_logits_to_keep(inputs[0], logits_to_keep), *inputs[1:])
        )
        try:
            return original(*args, **kwargs)
        finally:
            hook.remove()

    model.forward = forward


def _add_words_to_loss(model: Any) -> None:
    """Lets the loss read logits of added words, as of Idefics' marks: transformers 5.23 cuts logits by `vocab_size`."""
    original = model.loss_function

    @functools.wraps(original)
    def loss_function(*, logits: torch.Tensor, vocab_size: int, **kwargs: Any) -> Any:
        return original(logits=logits, vocab_size=logits.shape[-1], **kwargs)

    model.loss_function = loss_function


def attention_options(plan: Plan) -> dict[str, str]:
    """FlashAttention 2 (Dao 2023) where it is installed and the class supports it; else transformers' default, SDPA."""
    if plan.device == "cpu" or not is_flash_attn_2_available():
        return {}
    config = AutoConfig.from_pretrained(plan.base.folder, local_files_only=True, trust_remote_code=False)
    model_class: Any = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING.get(type(config), None)
    supported = getattr(model_class, "_supports_flash_attn", False)
    return {"attn_implementation": "flash_attention_2"} if supported else {}
