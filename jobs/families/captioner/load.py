"""Loads a vision encoder-decoder from a folder of safetensors, in 4 bits except for its output head, or in full."""

from typing import Any

import torch
from transformers import VisionEncoderDecoderModel

from jobs.families.captioner.vocabulary import init_new_embeddings
from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, quantization_options
from jobs.families.weights import read_weights

UNQUANTIZED = ("decoder.lm_head",)
"""Everything below it too: the head's own dense layer and `decoder.lm_head.decoder`."""


def load_captioner(plan: Plan) -> Any:
    """The model, with embeddings for the dataset's new words.

    Raises:
        Invalid: the files do not fit the config.
    """
    options = quantization_options(plan, UNQUANTIZED)
    model: Any = read_weights(VisionEncoderDecoderModel, plan.base, dtype=torch.float32, **options)
    keep_trainable_on_cpu(model)
    if not plan.inference_only:
        # Training passes complete captions and needs no key-value cache; `generate` turns it on when it needs it.
        model.decoder.config.use_cache = False
        init_new_embeddings(model, plan)
    return model if plan.four_bit else model.to(plan.device)
