"""The preflight says how many bytes the vision features of a dataset take, where the cache does not hold them."""

from typing import Any

import pytest

from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType
from orchestrator.services.models.vision_tokens import read_vision_layout
from orchestrator.services.training.recipe_limits import cache_advice

CONFIG = {
    "vision_config": {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2},
    "text_config": {"hidden_size": 3584},
}
MODEL = VideoModel(
    name="Qwen2.5-VL",
    family="qwen2_5_vl",
    model_type=ModelType.CAPTIONING,
    architecture="Qwen2_5_VLForConditionalGeneration",
    source=ModelSource.PATH,
    details={"sight": read_vision_layout("qwen2_5_vl", CONFIG)},
)


SQUARE = {"frames": 16, "size": 224, "frame_shape": "square"}


@pytest.mark.parametrize(
    ("clips", "limit", "recipe", "warned"),
    [
        (9_362, 32 * 2**30, {}, False),
        (9_363, 32 * 2**30, {}, True),
        (100_000, 0, {}, False),
        (100_000, 32 * 2**30, {"qlora": {"vision": True}}, False),
    ],
)
def test_it_warns_where_the_features_do_not_fit(clips: int, limit: int, recipe: dict[str, Any], warned: bool) -> None:
    """16 frames at 224 pixels: 512 tokens of 3,584 numbers of two bytes."""
    found = cache_advice(MODEL, parse_recipe({"data": SQUARE} | recipe), clips, True, limit)
    assert bool(found) is warned
    if warned:
        assert "3.67 MB a clip" in found[0].replace("\u00a0", " ")
        assert "34.4 GB" in found[0].replace("\u00a0", " ")
