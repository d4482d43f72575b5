"""Loads a vision encoder-decoder from a folder of safetensors, in 4 bits but for what speaks, or whole."""

from typing import Any

import torch
from transformers import VisionEncoderDecoderModel

from jobs.families.captioner.words import init_new_embeddings, tokenizer_of
from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, nf4_config
from jobs.families.weights import read_weights

SKIP = ("decoder.lm_head",)
"""Everything below it too: the head's own dense layer and `decoder.lm_head.decoder`."""


def load_captioner(plan: Plan) -> Any:
    """The model with places for the dataset's new words.

    Raises:
        Invalid: the files do not fit the config.
    """
    more: dict[str, Any] = {"dtype": torch.float32}
    if plan.four_bit:
        more |= {"quantization_config": nf4_config(SKIP, plan.device), "device_map": {"": plan.device}}
    model: Any = read_weights(VisionEncoderDecoderModel, plan.base, **more)
    keep_trainable_on_cpu(model)
    if not plan.inference_only:
        # Sentences that are known whole need no cache of keys; `generate` asks for one by itself.
        model.decoder.config.use_cache = False
        init_new_embeddings(model, tokenizer_of(plan), plan)
    return model if plan.four_bit else model.to(plan.device)
