"""A recipe that cannot run is refused next to the field that would solve it; advice blocks nothing."""

from pathlib import Path
from typing import Any

import pytest

from jobs.families.encoder import Encoder
from jobs.families.protocol import Base
from jobs.families.timesformer.family import FAMILY as TIMESFORMER
from jobs.families.videomae.family import FAMILY as VIDEOMAE
from jobs.families.vivit.family import FAMILY as VIVIT
from jobs.families.vjepa2.family import FAMILY as VJEPA2
from orchestrator.domain import formatting
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.inspect import _details
from orchestrator.services.models.vision_tokens import clip_tokens, read_vision_layout, visual_tokens
from orchestrator.services.training.estimate import adapter_parameters
from orchestrator.services.training.memory import memory_of
from orchestrator.services.training.recipe_limits import (
    advice,
    context_problems,
    fit_problems,
    kernel_problems,
    vision_problems,
)

QWEN = {
    "vision_config": {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2},
    "text_config": {
        "max_position_embeddings": 2048, "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
        "vocab_size": 151_936,
    },
}  # fmt: skip


def qwen(context: int = 2048, parameters: int = 3_000_000_000) -> VideoModel:
    sight = read_vision_layout("qwen2_5_vl", QWEN) or {}
    details: dict[str, Any] = {"sight": sight | {"context": context}, "nf4_bytes": parameters // 2}
    return VideoModel(
        name="eyes",
        model_type=ModelType.CAPTIONING,
        architecture="Qwen2.5-VL",
        source=ModelSource.PATH,
        parameters=parameters,
        details=details,
    )


def test_tokens_follow_frames_and_pixels() -> None:
    sight = qwen().details["sight"]
    assert visual_tokens(sight) == 4 * 8 * 8
    assert visual_tokens(sight, frames=16, size=448) == 8 * 16 * 16


def test_a_clip_longer_than_the_context_is_refused_at_the_frames() -> None:
    (problem,) = vision_problems(qwen(), parse_recipe({"data": {"frames": 16, "size": 448}}))
    assert problem == (
        "data.frames",
        "A clip takes 2,048 tokens, and this base reads 2,048 at once. Use 15 frames or fewer.",
    )
    assert not vision_problems(qwen(4096), parse_recipe({"data": {"frames": 16, "size": 448}}))


def test_where_clips_keep_their_shape_the_largest_one_must_fit() -> None:
    model = qwen(4096 + 64)
    model.family = "qwen2_5_vl"
    usual, more = parse_recipe({}), parse_recipe({"data": {"max_frames": 64}})
    hd, small = ClipShape(3000, 120.0, 1920, 1080), ClipShape(100, 4.0, 320, 180)
    assert clip_tokens("qwen2_5_vl", model.details["sight"], usual.data, small) == 4 * 6 * 11
    assert not vision_problems(model, more)
    assert not context_problems(model, usual, hd)
    ((field, text),) = context_problems(model, more, hd)
    assert field == "data.frame_tokens"
    assert text.startswith("The largest clip (1920 x 1080, 120 s) takes 8,")
    assert memory_of(model, usual, 10**7, clip=small).activations < memory_of(model, usual, 10**7, clip=hd).activations
    ((field, _),) = vision_problems(qwen(), parse_recipe({"data": {"frame_tokens": 64}}))
    assert field == "data.frame_tokens"


def test_an_indivisible_edge_is_refused_at_the_size() -> None:
    ((field, text),) = vision_problems(qwen(), parse_recipe({"data": {"size": 100}}))
    assert field == "data.size"
    assert "multiple of 28" in text


def test_what_does_not_fit_is_refused_at_the_field_that_helps() -> None:
    many, one = parse_recipe({"optim": {"batch_size": 8}}), parse_recipe({"optim": {"batch_size": 1}})
    assert fit_problems(many, 10**9, 0) == []
    assert fit_problems(many, 9 * 10**8, 10**9) == []
    assert fit_problems(many, 2 * 10**9, 10**9)[0][0] == "optim.batch_size"
    assert fit_problems(one, 2 * 10**9, 10**9)[0][0] == "data.frames"
    plain = parse_recipe({"optim": {"batch_size": 1}, "qlora": {"bits": 16}})
    assert fit_problems(plain, 2 * 10**9, 10**9)[0][0] == "qlora.bits"


def test_advice_where_4_bits_are_pointless_or_missed() -> None:
    assert "16-bit LoRA reaches the same quality" in advice(qwen(parameters=800_000), parse_recipe({}), gpu=False)[0]
    assert advice(qwen(), parse_recipe({}), gpu=True) == []
    assert (
        f"4-bit would save 4.50{formatting.NBSP}GB"
        in advice(qwen(), parse_recipe({"qlora": {"bits": 16}}), gpu=True)[0]
    )


def test_a_language_model_keeps_less_on_a_gpu_where_it_computes_twice() -> None:
    recipe = parse_recipe({"optim": {"batch_size": 2}})
    here, there = (memory_of(qwen(), recipe, 10**7, gpu) for gpu in (False, True))
    assert there.activations < here.activations / 4
    double = memory_of(qwen(), parse_recipe({"optim": {"batch_size": 4}}), 10**7)
    assert double.activations == 2 * here.activations
    assert double.fixed == here.fixed


def test_liger_is_refused_at_its_switch_where_it_cannot_run() -> None:
    asked, model = parse_recipe({"optim": {"liger": True}}), qwen()
    model.family = "qwen2_5_vl"
    assert kernel_problems(model, asked, gpu=True) == []
    assert kernel_problems(model, parse_recipe({}), gpu=False) == []
    ((field, text),) = kernel_problems(model, asked, gpu=False)
    assert (field, "GPU only" in text) == ("optim.liger", True)
    model.family = "llava_next_video"
    assert "no kernels for this base" in kernel_problems(model, asked, gpu=True)[0][1]


def test_a_trained_vision_tower_costs_adapters_and_memory() -> None:
    model, frozen, learns = qwen(), parse_recipe({}), parse_recipe({"qlora": {"vision": True}})
    eyes = QWEN["vision_config"] | {"depth": 32, "hidden_size": 1280}
    model.details["sight"] = read_vision_layout("qwen2_5_vl", QWEN | {"vision_config": eyes})
    model.details["eye_layers"] = [{"suffix": "qkv", "count": 32, "in_features": 1280, "out_features": 3840}]
    more = adapter_parameters(model, learns) - adapter_parameters(model, frozen)
    assert more == 16 * 32 * (1280 + 3840)
    for gpu in (False, True):
        kept, plain = (memory_of(model, recipe, 10**7, gpu).activations for recipe in (learns, frozen))
        assert kept > plain


def test_moments_of_8_bits_take_less() -> None:
    whole, small = parse_recipe({}), parse_recipe({"optim": {"optimizer": "adamw_8bit"}})
    assert memory_of(qwen(), whole, 10**7).trained == 160_000_000
    assert memory_of(qwen(), small, 10**7).trained == 100_000_000
    assert memory_of(qwen(), whole, 10**7, gpu=True).trained == 100_000_000


def encoder(family: str, **details: Any) -> VideoModel:
    return VideoModel(
        name="base",
        model_type=FAMILIES[family].model_type,
        architecture=FAMILIES[family].title,
        family=family,
        source=ModelSource.PATH,
        details=details,
    )


@pytest.mark.parametrize(
    ("base", "frames", "sentence"),
    [
        (encoder("videomae", frames=8), 4, "This base sees exactly 8 frames. Leave Frames empty."),
        (encoder("videomae", frames=8), 16, "This base sees exactly 8 frames. Leave Frames empty."),
        (encoder("videomae", frames=8), 8, ""),
        (encoder("videomae", frames=8), None, ""),
        (encoder("videomae"), 8, "This base sees exactly 16 frames. Leave Frames empty."),
        (encoder("timesformer", frames=None), 16, "This base sees exactly 8 frames. Leave Frames empty."),
        (encoder("vivit", frames=32), 16, "This base sees exactly 32 frames. Leave Frames empty."),
        (encoder("xclip", frames=8), 9, "This base sees exactly 8 frames. Leave Frames empty."),
        (encoder("vjepa2", frames=64, tubelet_size=2), 15, "This base takes frames by 2. Enter a multiple of 2"),
        (encoder("vjepa2", frames=64, tubelet_size=2), 16, ""),
        (encoder("clip"), 5, ""),
    ],
)
def test_an_encoder_takes_the_frames_of_its_checkpoint(base: VideoModel, frames: int | None, sentence: str) -> None:
    found = vision_problems(base, parse_recipe({"data": {"frames": frames}}))
    assert [field for field, _ in found] == (["data.frames"] if sentence else [])
    assert "".join(text for _, text in found).startswith(sentence)


@pytest.mark.parametrize(
    ("family", "config"),
    [
        (VIDEOMAE, {"num_frames": 8, "tubelet_size": 2}),
        (VIDEOMAE, {}),
        (TIMESFORMER, {"num_frames": 8}),
        (VIVIT, {"num_frames": 32, "tubelet_size": [2, 16, 16]}),
        (VJEPA2, {"frames_per_clip": 64, "tubelet_size": 2}),
        (VJEPA2, {}),
    ],
)
def test_the_preflight_says_what_the_trainer_would(family: Encoder, config: dict[str, Any]) -> None:
    facts = _details(config | {"image_size": 224}, family.name, {})
    base = Base(Path("x"), config, {})
    for frames in (None, 1, 7, 8, 16, 32, 64):
        recipe = parse_recipe({"data": {"frames": frames}})
        trainer = ""
        try:
            family.check_frames(base, recipe)
        except Invalid as error:
            trainer = error.message
        before = vision_problems(encoder(family.name, **facts), recipe)
        assert "".join(text for _, text in before) == trainer
