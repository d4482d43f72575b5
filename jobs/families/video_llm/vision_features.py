"""The shapes of what an eye saw: flat named tensors of one clip for the cache, several clips joined for the model."""

from typing import Any

import torch

from jobs.families.protocol import Features

_KEPT = ("pooler_output", "deepstack_features")
"""What a language model reads of an eye's output; the hidden states before the projection are left out."""


def sees(model: Any, given: dict[str, torch.Tensor]) -> Features:
    """The features as transformers' `mm_encoder_outputs` wants them, by flat names: field, or field/layer/clip."""
    video = "pixel_values_videos" in given
    ask = model.get_video_features if video else model.get_image_features
    given.pop("video_compression_mask", None)
    found = ask(**given, return_dict=True)
    seen: Features = {}
    for name in _KEPT:
        value = getattr(found, name, None)
        if value is not None:
            _flatten(f"{'video' if video else 'image'}.{name}", value, seen)
    return seen


def sees_flamingo(model: Any, given: dict[str, torch.Tensor]) -> Features:
    """IDEFICS has arguments of its own for what was seen before: after its resampler where it has one."""
    pixels = given["pixel_values"].to(model.dtype)
    hidden = model.vision_model(pixel_values=pixels.flatten(0, 1)).last_hidden_state
    resampled = bool(model.config.use_resampler)
    hidden = model.perceiver_resampler(hidden) if resampled else hidden
    return {"perceiver_embeddings" if resampled else "image_encoder_embeddings": hidden[None]}


def recall(clips: list[Features], writes: bool) -> dict[str, Any]:
    """What `forward` (or `generate`, where `writes`) takes in the place of pixels, for several clips together."""
    names = list(clips[0])
    if not names[0].startswith(("video.", "image.")):  # Flamingo
        seen = torch.cat([clip[names[0]] for clip in clips])
        return {"image_hidden_states" if writes else names[0]: seen}
    outputs: dict[str, Any] = {}
    for name in names:
        field, *place = name.split("/")
        values = [clip[name] for clip in clips]
        if not place:
            outputs[field] = torch.cat(values)
        elif len(place) == 1:
            outputs[field] = values
        else:
            outputs.setdefault(field, []).append(values)
    told = _Seen({name.partition(".")[2]: value for name, value in outputs.items()})
    return {"mm_encoder_outputs": {names[0].partition(".")[0]: told}}


class _Seen(dict[str, Any]):
    """An output whose fields are attributes; a plain dict, so that loaders move it as one."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _flatten(name: str, value: Any, into: Features) -> None:
    if isinstance(value, torch.Tensor):
        into[name] = value
        return
    for index, part in enumerate(value):
        _flatten(f"{name}/{index}", part, into)
