"""Vision features of a language model: flat named tensors of one clip for the cache, joined again for a batch."""

from typing import Any

import torch

from jobs.families.protocol import Features

_OUTPUT_FIELDS = ("pooler_output", "deepstack_features")
"""What the language model reads of the vision tower's output; hidden states before the projection are left out."""

_LAYOUT = "layout/"
_TEXT = "layout/text"


def encode(model: Any, inputs: dict[str, torch.Tensor]) -> Features:
    """Runs the vision tower on one clip.

    Args:
        inputs: the tensors of a layout.

    Returns:
        The fields that transformers' `mm_encoder_outputs` takes, by flat names: field, or field/layer/clip.
    """
    is_video = "pixel_values_videos" in inputs
    inputs.pop("video_compression_mask", None)
    get_features = model.get_video_features if is_video else model.get_image_features
    output = get_features(**inputs, return_dict=True)
    features: Features = {}
    for name in _OUTPUT_FIELDS:
        value = getattr(output, name, None)
        if name == "pooler_output" and isinstance(value, list | tuple) and len(value) > 1:
            value = (torch.cat(tuple(value)),)  # MiniCPM-V: one of each frame
        if value is not None:
            _flatten(f"{'video' if is_video else 'image'}.{name}", value, features)
    return features


def encode_flamingo(model: Any, inputs: dict[str, torch.Tensor]) -> Features:
    """The same for IDEFICS, whose `forward` has arguments of its own for encoded images."""
    pixels = inputs["pixel_values"].to(model.dtype)
    hidden = model.vision_model(pixel_values=pixels.flatten(0, 1)).last_hidden_state
    has_resampler = bool(model.config.use_resampler)
    hidden = model.perceiver_resampler(hidden) if has_resampler else hidden
    return {"perceiver_embeddings" if has_resampler else "image_encoder_embeddings": hidden[None]}


def as_model_inputs(clips: list[Features], generates: bool) -> dict[str, Any]:
    """The arguments of `forward` (of `generate`, where it `generates`) that replace the pixels of several clips."""
    names = list(clips[0])
    if not names[0].startswith(("video.", "image.")):  # IDEFICS
        hidden = torch.cat([clip[names[0]] for clip in clips])
        return {"image_hidden_states" if generates else names[0]: hidden}
    outputs: dict[str, Any] = {}
    for name in names:
        field, *path = name.split("/")
        values = [clip[name] for clip in clips]
        if not path:
            outputs[field] = torch.cat(values)
        elif len(path) == 1:
            outputs[field] = values
        else:
            outputs.setdefault(field, []).append(values)
    fields = _Output({name.partition(".")[2]: value for name, value in outputs.items()})
    return {"mm_encoder_outputs": {names[0].partition(".")[0]: fields}}


def with_layout(features: Features, tensors: dict[str, torch.Tensor], text: str) -> Features:
    """The features with what else the language model is told of a clip, so that the clip is not needed any more.

    Args:
        tensors: the arguments of `forward` for the clip; its pixels and their mask are left out.
        text: what stands for the clip in the prompt.
    """
    layout = {f"{_LAYOUT}{name}": value for name, value in tensors.items() if not name.startswith("pixel_")}
    return features | layout | {_TEXT: torch.tensor(list(text.encode()), dtype=torch.uint8)}


def split_layout(stored: Features) -> tuple[Features, dict[str, torch.Tensor], str]:
    """What `with_layout` joined."""
    features = {name: value for name, value in stored.items() if not name.startswith(_LAYOUT)}
    tensors = {name.removeprefix(_LAYOUT): value for name, value in stored.items() if name.startswith(_LAYOUT)}
    text = bytes(tensors.pop(_TEXT.removeprefix(_LAYOUT)).tolist()).decode()
    return features, tensors, text


class _Output(dict[str, Any]):
    """A model output whose fields are attributes; a plain dict, so that data loaders move its tensors."""

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
