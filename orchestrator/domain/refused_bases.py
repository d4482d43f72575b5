"""Why a base cannot be trained, in a sentence: the reason and, where one is known, a repository that would do."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.families import FAMILIES


@dataclass(frozen=True, slots=True)
class _Refused:
    """A model type that people bring and that no family trains."""

    title: str
    reason: str
    instead: str
    """A repository, or several."""


_OWN_CODE = "is published with code of its own, which is never run here"
_NOT_TRAINED = "is not among the families that are trained here"
_REFUSED: Mapping[str, _Refused] = {
    "internvl_chat": _Refused("InternVL in its authors' format", _OWN_CODE, "OpenGVLab/InternVL3_5-8B-HF"),
    "llava_qwen": _Refused(
        "LLaVA-Video, as LLaVA-OneVision in its authors' format,", _OWN_CODE, "llava-hf/llava-onevision-qwen2-7b-ov-hf"
    ),
    "videollama3_qwen2": _Refused("VideoLLaMA 3 in its authors' format", _OWN_CODE, "lkhl/VideoLLaMA3-2B-Image-HF"),
    "videollama2_qwen2": _Refused("VideoLLaMA 2", _OWN_CODE, "lkhl/VideoLLaMA3-2B-Image-HF"),
    "minicpmv": _Refused("MiniCPM-V of before 4.6", _OWN_CODE, "openbmb/MiniCPM-V-4.6"),
    "minicpmo": _Refused("MiniCPM-o", _OWN_CODE, "openbmb/MiniCPM-V-4.6"),
    "chatglm": _Refused("GLM-4V of before 4.1", _OWN_CODE, "zai-org/GLM-4.1V-9B-Thinking"),
    "molmo": _Refused("Molmo", f"{_OWN_CODE}, and reads images only", "allenai/Molmo2-8B"),
    "Keye": _Refused("Keye-VL", _OWN_CODE, "Qwen/Qwen3-VL-8B-Instruct"),
    "KeyeVL1_5": _Refused("Keye-VL 1.5", _OWN_CODE, "Qwen/Qwen3-VL-8B-Instruct"),
    "internvideo2": _Refused("InternVideo2", _OWN_CODE, "facebook/vjepa2-vitl-fpc64-256"),
    "LanguageBindVideo": _Refused("LanguageBind", _OWN_CODE, "microsoft/xclip-base-patch32"),
    "perception_lm": _Refused(
        "PerceptionLM", "needs the package timm for its vision tower, which is not installed here", "allenai/Molmo2-8B"
    ),
    "gemma3": _Refused("Gemma 3", "reads images only", "google/gemma-4-E4B-it"),
    "gemma3n": _Refused("Gemma 3n", "has no processor for videos in transformers", "google/gemma-4-E4B-it"),
    "qwen2_5_omni": _Refused("Qwen2.5-Omni", f"hears and speaks, and {_NOT_TRAINED}", "Qwen/Qwen2.5-VL-7B-Instruct"),
    "qwen3_omni_moe": _Refused("Qwen3-Omni", f"hears and speaks, and {_NOT_TRAINED}", "Qwen/Qwen3-VL-8B-Instruct"),
    "mllama": _Refused("Llama 3.2 Vision", "reads images only", "Qwen/Qwen3-VL-8B-Instruct"),
    "llava": _Refused("LLaVA", "reads images only", "llava-hf/llava-onevision-qwen2-7b-ov-hf"),
    "llava_next": _Refused("LLaVA-NeXT", "reads images only", "llava-hf/LLaVA-NeXT-Video-7B-hf"),
    "qwen": _Refused("Qwen-VL of before version 2", _OWN_CODE, "Qwen/Qwen2.5-VL-7B-Instruct"),
}
"""By `model_type` of config.json."""


def refusal(model_type: str) -> str:
    """Why no family trains a base with this `model_type`."""
    known = _REFUSED.get(model_type)
    if known is not None:
        return f"{known.title} {known.reason}. Choose {known.instead} instead."
    titles = ", ".join(row.title for row in FAMILIES.values())
    kind = model_type[:64] or "nothing"
    return f"config.json names the model type “{kind}”, which no family here trains. These can be trained: {titles}."


def remote_code_refusal(model_type: str) -> str:
    """Why a base is refused whose config.json asks for code of its own to be run."""
    known = _REFUSED.get(model_type)
    instead = f"Choose {known.instead} instead." if known else "Choose a base in transformers' own format."
    return f"config.json asks to run code of the model itself, which is never done here. {instead}"
