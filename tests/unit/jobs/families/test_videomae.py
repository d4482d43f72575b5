"""The family's pixels equal the real processor's, and its 4-bit base stays trainable after an evaluation."""

import json
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from jobs.families.pixels import ClipNormalizer, augment
from jobs.families.protocol import Base, Plan
from jobs.families.quantize import quantized_layers
from jobs.families.registry import read_base, resolve
from jobs.video.cache import Sampling
from jobs.video.decode import _prepare
from jobs.video.sampling import fit
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from orchestrator.settings import ROOT

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"


@pytest.mark.parametrize(
    "processor",
    [
        json.loads((BASE / "preprocessor_config.json").read_text()),
        {"size": {"shortest_edge": 48}, "crop_size": {"height": 48, "width": 48}, "do_center_crop": True},
    ],
)
@pytest.mark.parametrize("shape", [(120, 160), (161, 97), (48, 48)])
def test_pixels_equal_the_real_processor(processor: dict[str, Any], shape: tuple[int, int]) -> None:
    base = Base(BASE, {"image_size": 48, "num_frames": 8}, processor)
    how = resolve(read_base(BASE)).sampling(base, parse_recipe({}))
    assert isinstance(how, Sampling)
    rng = np.random.default_rng(0)
    clip = rng.integers(0, 256, (8, *shape, 3), dtype=np.uint8)
    settings = {k: v for k, v in processor.items() if k != "image_processor_type"}
    real = VideoMAEImageProcessorPil(**settings)(list(clip), return_tensors="pt")["pixel_values"]
    target = fit(clip.shape[2], clip.shape[1], dict(how.size))
    frames = np.stack([_prepare(f, target, how.crop, how.resample) for f in clip])
    real_mean = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3} | processor
    ours = ClipNormalizer(Base(BASE, base.config, real_mean)).normalize([{"frames": frames}])
    assert torch.allclose(ours, real, atol=1e-5)


def _gradients(model: Any, pixels: torch.Tensor) -> list[float]:
    model.zero_grad()
    model.train()
    model(pixel_values=pixels, labels=torch.tensor([0, 1])).loss.backward()
    return [p.grad.norm().item() for n, p in model.named_parameters() if p.requires_grad and "lora_B" in n]


def test_evaluation_does_not_cut_the_gradient() -> None:
    """On AVX512-BF16 CPUs bitsandbytes repacks the base in an eval() forward; then lower layers learn nothing."""
    torch.manual_seed(0)
    base, recipe = read_base(BASE), parse_recipe({"qlora": {"dropout": 0.0}})
    family = resolve(base)
    model = family.load(Plan(base, recipe, "classification", ("a", "b")))
    layers = cast(Sequence[Any], quantized_layers(model))
    assert len(layers) == 24
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)
    assert all(layer.weight.quant_type == "nf4" for layer in layers)
    assert isinstance(model.classifier, torch.nn.Linear)
    tuned = get_peft_model(
        model, LoraConfig(r=4, target_modules=family.targets(recipe, model), modules_to_save=["classifier"])
    )
    pixels = torch.randn(2, 8, 3, 48, 48)
    before = _gradients(tuned, pixels)
    tuned.eval()
    with torch.no_grad():
        tuned(pixel_values=pixels)
    after = _gradients(tuned, pixels)
    assert min(before) > 0
    assert after == pytest.approx(before, rel=1e-4)


def test_augmentation_keeps_shape_and_range() -> None:
    torch.manual_seed(0)
    pixels = torch.rand(3, 8, 3, 48, 48)
    augmented = augment(pixels, torch.Generator().manual_seed(3))
    assert augmented.shape == pixels.shape
    assert -0.2 <= augmented.min() <= augmented.max() <= 1.2
    still = augment(pixels[:, :1].expand(-1, 8, -1, -1, -1), torch.Generator().manual_seed(3))
    assert torch.allclose(still[:, 0], still[:, 7], atol=1e-5)


def test_unknown_families_and_remote_code_are_refused(tmp_path: Any) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(Invalid, match="type “bert”"):
        resolve(read_base(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "videomae", "auto_map": {"AutoModel": "x.Y"}}')
    with pytest.raises(Invalid, match="code of the model itself"):
        read_base(tmp_path)
