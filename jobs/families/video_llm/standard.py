"""Families whose own processor and class of transformers say all that training must know: a row in domain/families.py.

The processor writes the chat, samples and resizes the frames, and marks the tokens of the clip. Every linear layer of
the language model gets an adapter, except those that route tokens to experts.
"""

from functools import cache

from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.family import VideoLLM

_TOWERS = (
    "model.visual",
    "model.vision_tower",
    "model.video_tower",
    "model.image_tower",
    "model.audio_tower",
    "model.multi_modal_projector",
    "model.embed_vision",
    "model.embed_audio",
    "model.merger",
)
"""What transformers calls the modules beside a language model: they are never quantized. No model has all of them."""


@cache
def standard_family(name: str) -> VideoLLM:
    """The family with this `model_type`."""
    return VideoLLM(Architecture(name, prompt="", vision_modules=_TOWERS))
