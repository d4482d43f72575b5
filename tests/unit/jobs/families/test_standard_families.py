"""Families that are a row of domain/families.py: trained tiny on published configs, fed by their own processors."""

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from jobs.adapters.check import check, plain_inputs
from jobs.families.protocol import Base, Plan, Question
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.family import VideoLLM
from jobs.families.video_llm.own_processor import own_processor
from jobs.trainer.setup import load_with_adapters
from jobs.video.cache import ClipFile
from jobs.video.probe_clips import write_flickering
from orchestrator.domain.errors import Invalid
from orchestrator.domain.experts import FROZEN, count_experts
from orchestrator.domain.families import FAMILIES, STANDARD_FAMILIES
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.refused_bases import refusal
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.inspect import inspect_model
from orchestrator.services.models.vision_tokens import clip_tokens, read_vision_layout
from tests.unit.jobs.families import tiny_llms
from tests.unit.jobs.families.published import make_published
from tests.unit.jobs.families.standard_bases import BASES, make_standard, write_files

NAMES = sorted(BASES)
USUAL: dict[str, Any] = {"max_frames": 4, "frame_tokens": 12}
SMALL: dict[str, dict[str, Any]] = {
    "glm46v": {"frame_tokens": 4},
    "gemma4": {"frames": 2},
    "video_llava": {"frames": 3},
    "minicpmv4_6": {"max_frames": 3},
    "molmo2": {"max_frames": 3},
}
"""Recipes of families whose processor has not all the usual settings."""
FILMS = {"landscape": (320, 180, 3.0, False), "portrait": (180, 320, 5.0, True)}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {
        name: write_flickering(folder / f"{name}.mp4", width, height, seconds, 10, varies)
        for name, (width, height, seconds, varies) in FILMS.items()
    }


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices take longer on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def plan_of(name: str, base: Base, system: str = "", **more: Any) -> Plan:
    recipe = parse_recipe({"qlora": {"bits": 16}, "data": SMALL.get(name, USUAL)} | more)
    return Plan(base, recipe, "captioning", (), ("it hops",), system=system)


def item_of(plan: Plan, film: Path, caption: str) -> dict[str, Any]:
    frames, timing = resolve(plan.base).sampling(plan.base, plan.recipe).decode(ClipFile(film, "", film.name))
    return {"frames": frames, "timing": timing, "captions": [caption], "training": False, "seed": (0, 0)}


def test_every_standard_family_has_a_base() -> None:
    assert set(NAMES) == STANDARD_FAMILIES


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_and_is_fed_as_it_will_be_served(name: str, films: dict[str, Path], tmp_path: Path) -> None:
    base = read_base(make_standard(name, tmp_path / "base"))
    plan = plan_of(name, base, "Be brief.")
    family = resolve(base)
    assert isinstance(family, VideoLLM)
    assert inspect_model(base.folder, digest=False).family == name
    family.check(base, plan.recipe, "captioning")
    items = [item_of(plan, film, caption) for film, caption in zip(films.values(), ("wide", "it is tall"), strict=True)]
    _check_tokens(name, plan, items, films)

    model = load_with_adapters(family, plan).eval()
    adapted = {key for key, _ in model.named_parameters() if "lora_A" in key}
    assert adapted
    assert all("model.language_model." in key and ".experts." not in key for key in adapted)
    children = {f"model.{child}" for child, _ in model.get_base_model().model.named_children()}
    towers = children - {"model.language_model", "model.rotary_emb"}
    assert all(child.startswith(family.architecture.vision_modules) for child in towers), "it would be quantized"

    collate, tower = family.collate(plan), family.vision_encoder(plan, model)
    assert tower is not None
    kept = [
        {key: value for key, value in item.items() if key not in ("frames", "timing")}
        | {"features": tower.encode(item["frames"], item["timing"])}
        for item in items
    ]
    with torch.no_grad():
        shown, stored = (float(model(**collate(side)).loss) for side in (items, kept))
    assert stored == pytest.approx(shown, abs=1e-5)
    losses = _train(model, collate(kept))
    assert losses[0] == pytest.approx(shown, abs=1e-5)
    assert losses[-1] < losses[0] - 0.05

    exported = tmp_path / "adapter"
    model.save_pretrained(exported)
    family.save_processor(plan, exported)
    assert [problem for _, problem in check(exported)] == ["", "", ""]
    assert any(text == FROZEN for text in family.caption_warnings(plan, [])) is bool(count_experts(base.config))


@pytest.mark.parametrize("text", ["qwen3", "qwen3_moe"])
def test_internvl_3_5_is_internvl_with_another_language_model(
    text: str, films: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its published configs name Qwen3, and Qwen3 MoE for the larger ones."""
    known = tiny_llms.CONFIGS["internvl"]
    more = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32} if text == "qwen3_moe" else {}
    config = known | {"text_config": known["text_config"] | {"model_type": text, "head_dim": 32} | more}
    monkeypatch.setitem(tiny_llms.CONFIGS, "internvl", config)
    base = read_base(make_published("internvl", tmp_path / "base"))
    plan = Plan(base, parse_recipe({"qlora": {"bits": 16}, "data": {"frames": 3}}), "captioning", (), ("it hops",))
    family = resolve(base)
    family.check(base, plan.recipe, "captioning")
    items = [item_of(plan, film, caption) for film, caption in zip(films.values(), ("wide", "it is tall"), strict=True)]
    model = load_with_adapters(family, plan)
    adapted = {
        key.rpartition(".lora_A")[0].rpartition(".")[2] for key, _ in model.named_parameters() if "lora_A" in key
    }
    attention = {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert adapted == (attention if more else attention | {"gate_proj", "up_proj", "down_proj"})
    losses = _train(model, family.collate(plan)(items))
    assert losses[-1] < losses[0] - 0.05
    assert bool(more) is bool(family.caption_warnings(plan, []))


def _check_tokens(name: str, plan: Plan, items: list[dict[str, Any]], films: dict[str, Path]) -> None:
    """The number of tokens that the web counts, and the inputs of the plain processor for a clip."""
    layout = read_vision_layout(name, plan.base.config)
    assert layout is not None
    processor = own_processor(plan.base.folder, plan.recipe.data)
    token = processor.processor.tokenizer.convert_tokens_to_ids(processor.clip_token)
    collate: Any = resolve(plan.base).collate(plan)
    contract = {"question": collate.question, "system": plan.system, "system_is_text": collate.system_is_text}
    for item, (kind, film) in zip(items, films.items(), strict=True):
        ours = collate.generation_inputs([item])
        if kind == "portrait":
            plain = plain_inputs(processor.processor, film, contract)
            assert set(plain) == set(ours)
            for key, value in plain.items():
                assert torch.equal(ours[key].double(), value.double()), key
        shape = ClipShape(item["timing"].total, item["timing"].duration_s, *FILMS[kind][:2])
        counted, taken = clip_tokens(name, layout, plan.recipe.data, shape), int((ours["input_ids"] == token).sum())
        assert abs(counted - taken) <= 0.4 * taken, "the estimate is far off"
        assert counted >= taken or name == "minicpmv4_6"  # whose frames are of about one size


def _train(model: Any, batch: dict[str, Any]) -> list[float]:
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 1e-2)
    losses: list[float] = []
    for _ in range(2):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return losses


def test_the_card_answers_as_the_playground(
    films: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a base whose template takes instructions as a text only."""
    folder = make_standard("glm4v", tmp_path / "base")
    plan = plan_of("glm4v", read_base(folder), "Be brief.")
    family = resolve(plan.base)
    model = load_with_adapters(family, plan)
    items = [item_of(plan, film, "it hops") for film in films.values()]
    _train(model, family.collate(plan)(items))
    adapter = tmp_path / "adapter"
    model.eval().save_pretrained(adapter)
    family.save_processor(plan, adapter)
    (adapter / "caption.py").write_text(family.program(plan, repr(str(folder)))[1])
    monkeypatch.setattr(sys, "argv", ["caption.py", *map(str, films.values())])
    runpy.run_path(str(adapter / "caption.py"))
    printed = [line.split("\t", 1)[1] for line in capsys.readouterr().out.splitlines() if "\t" in line]
    asked = Question(max_new_tokens=len("it hops") + 9)
    answers = [family.predict(plan, model, [item], asked)[0] for item in items]
    assert [" ".join(text.split()) for text in printed] == [" ".join(str(one.text).split()) for one in answers]


@pytest.mark.parametrize("name", ["qwen3_5_moe", "glm4v_moe"])
def test_experts_are_neither_quantized_nor_adapted(name: str, tmp_path: Path) -> None:
    base = read_base(write_files(name, tmp_path))
    family = resolve(base)
    for qlora, field in (
        ({"bits": 4}, "qlora.bits"),
        ({"bits": 16, "target_modules": ["up_proj"]}, "qlora.target_modules"),
    ):
        with pytest.raises(Invalid, match="The experts of this base") as refused:
            family.check(base, parse_recipe({"qlora": qlora}), "captioning")
        assert refused.value.field == field
    family.check(base, parse_recipe({"qlora": {"enabled": False}, "data": USUAL}), "captioning")


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("glm4v", {"min_frames": 4}, "data.min_frames"),
        ("glm46v", {"max_frames": 8}, "data.max_frames"),
        ("gemma4", {"frame_tokens": 100}, "data.frame_tokens"),
        ("gemma4", {"fps": 2.0}, "data.fps"),
        ("minicpmv4_6", {"frames": 8}, "data.frames"),
        ("molmo2", {"frame_tokens": 40}, "data.frame_tokens"),
        ("video_llava", {"fps": 1.0}, "data.fps"),
        ("qwen3_5", {"frame_shape": "square"}, "data.frame_shape"),
    ],
)
def test_what_a_processor_cannot_do_is_refused(name: str, data: dict[str, Any], field: str, tmp_path: Path) -> None:
    base = read_base(write_files(name, tmp_path))
    with pytest.raises(Invalid) as refused:
        resolve(base).check(base, parse_recipe({"qlora": {"bits": 16}, "data": data}), "captioning")
    assert refused.value.field == field
    assert refused.value.message.endswith(".")


def test_a_template_that_opens_a_thought_asks_for_none(tmp_path: Path) -> None:
    folder = write_files("qwen3_5", tmp_path / "base")
    plan = plan_of("qwen3_5", read_base(folder))
    own_processor(folder, plan.recipe.data).save(tmp_path / "adapter")
    asked = [{"role": "user", "content": "Hello"}]
    written = {
        name: AutoProcessor.from_pretrained(place).apply_chat_template(
            asked, add_generation_prompt=True, tokenize=False
        )
        for name, place in (("base", folder), ("adapter", tmp_path / "adapter"))
    }
    assert written["base"].endswith("<think>\n")
    assert written["adapter"].endswith("<think>\n\n</think>\n\n")
    family: Any = resolve(plan.base)
    assert "--default-chat-template-kwargs '{\"enable_thinking\": false}'" in family.serving_notes(plan, "org/base")


@pytest.mark.parametrize(
    "model_type", ["internvl_chat", "llava_qwen", "minicpmv", "qwen2_5_omni", "gemma3", "perception_lm"]
)
def test_a_refused_base_names_the_reason_and_one_that_would_do(model_type: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(f'{{"model_type": "{model_type}"}}')
    for read in (lambda: resolve(read_base(tmp_path)), lambda: inspect_model(tmp_path)):
        with pytest.raises(Invalid) as refused:
            read()
        assert refused.value.message == refusal(model_type)
    assert any(
        reason in refusal(model_type)
        for reason in ("code of its own", "images only", "not among the families", "the package timm")
    )
    assert "/" in refusal(model_type).partition("Choose ")[2]


def test_a_base_with_code_of_its_own_names_one_without(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "internvl_chat", "auto_map": {"AutoModel": "x.Y"}}')
    for read in (read_base, inspect_model):
        with pytest.raises(Invalid, match=r"asks to run code .* Choose OpenGVLab/InternVL3_5-8B-HF instead"):
            read(tmp_path)


def test_the_class_of_each_standard_family_is_in_transformers() -> None:
    for name in STANDARD_FAMILIES:
        config = AutoConfig.for_model(name)
        assert type(config) in AutoModelForImageTextToText._model_mapping
        assert FAMILIES[name].vision is not None
