"""Loads VideoMAE from a folder of safetensors: as a 4-bit classifier with a fresh head, or whole to learn masked."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import VideoMAEForPreTraining, VideoMAEForVideoClassification

from jobs.families.protocol import Base
from jobs.families.quantize import keep_trainable_on_cpu, nf4_config
from orchestrator.domain.errors import Invalid

_COMMON: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}


def load_classifier(base: Base, class_names: Sequence[str], device: str, four_bit: bool) -> Any:
    """The encoder, in NF4 when `four_bit`, and a new head for `class_names`.

    Raises:
        Invalid: the files do not fit the config.
    """
    more: dict[str, Any] = {"dtype": torch.float32}
    if four_bit:
        more |= {"quantization_config": nf4_config(["classifier"], device), "device_map": {"": device}}
    names = list(class_names)
    model = _read(
        VideoMAEForVideoClassification,
        base,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        ignore_mismatched_sizes=True,
        **more,
    )
    keep_trainable_on_cpu(model)
    # A head that came with the base knows other classes; start it small so that the first loss is near log(classes).
    torch.nn.init.normal_(model.classifier.weight, std=0.02)
    torch.nn.init.zeros_(model.classifier.bias)
    return model if four_bit else model.to(device)


def load_masked(base: Base, device: str) -> Any:
    """The whole model with its decoder; a base without one gets a fresh one."""
    model, report = _read(
        VideoMAEForPreTraining, base, dtype=torch.float32, ignore_mismatched_sizes=True, output_loading_info=True
    )
    if "mask_token" in report["missing_keys"]:
        # transformers 5.23 leaves this one as it found it in memory, which is not a number every so often.
        torch.nn.init.trunc_normal_(model.mask_token, std=0.02)
    return model.to(device)


def _read(kind: Any, base: Base, **more: Any) -> Any:
    try:
        return kind.from_pretrained(base.folder, **_COMMON, **more)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Invalid(f"The base model could not be loaded: {first[:300]} Register it again.") from error
