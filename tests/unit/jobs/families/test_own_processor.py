"""What is fed in training is what transformers alone feeds from the adapter's folder: tokens, grid, times, pixels."""

import dataclasses
import hashlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoProcessor

from jobs.adapters.check import check, main, plain_inputs
from jobs.families.protocol import Base, Plan
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.chat import ChatCollator
from jobs.families.video_llm.contract import CONTRACT, input_facts
from jobs.families.video_llm.own_processor import ProcessorSampling, own_processor
from jobs.runs.spec import ClipSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from jobs.video.cache import ClipFile, FrameCache
from jobs.video.probe_clips import write_flickering
from jobs.video.source import BadClip
from orchestrator.domain.annotations import CAPTION_QUESTION, Span
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe, stored_recipe
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.vision_tokens import clip_frames, clip_tokens, frame_size, read_vision_layout
from tests.unit.jobs.families.published import FILES, INTERNVL_3_5, make_published
from tests.unit.jobs.trainer.conftest import MakeSpec, clips, make_spec
from tests.unit.jobs.trainer.test_run import recorder_of

__all__ = ["clips", "make_spec"]
NAMES = sorted(FILES)
SHAPES = {"landscape": (320, 180), "portrait": (180, 320), "square": (240, 240)}
SPREAD: tuple[dict[str, Any], ...] = ({}, {"frames": 4}, {"frames": 5, "size": 28})
CHOICES: dict[str, tuple[dict[str, Any], ...]] = {
    "smolvlm": ({}, {"fps": 0.5, "max_frames": 6}, {"frames": 4, "size": 28}),
    "llava_onevision": SPREAD,
    "internvl": SPREAD,
    "llava_next_video": SPREAD,
    "idefics": SPREAD,
}
"""Recipes of families whose processor has not all the usual settings."""
RUNS: dict[str, dict[str, Any]] = {"smolvlm": {"max_frames": 8}} | {
    name: {"frames": 6} for name, choices in CHOICES.items() if choices is SPREAD
}
"""Recipes of runs, where a family has not all the usual settings."""
USUAL_CHOICES = ({}, {"fps": 1.0, "max_frames": 6, "frame_tokens": 40}, {"frames": 4, "size": 112})
RATES = {"short": (4.0, 10, False), "long": (120.0, 2, False), "variable": (9.0, 10, True)}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    folder = tmp_path_factory.mktemp("films")
    return {
        (shape, kind): write_flickering(folder / f"{shape}-{kind}.mp4", *size, seconds, rate, varies)
        for shape, size in SHAPES.items()
        for kind, (seconds, rate, varies) in RATES.items()
    }


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    folder = tmp_path_factory.mktemp("bases")
    return {name: read_base(make_published(name, folder / name)) for name in NAMES}


def clip_of(path: Path) -> ClipFile:
    return ClipFile(path, "", path.name)


def length_of(plan: Plan, path: Path) -> tuple[int, float]:
    """Frames and seconds of a clip."""
    _, timing = resolve(plan.base).sampling(plan.base, plan.recipe).decode(ClipFile(path, "", path.name))
    assert timing is not None
    return timing.total, timing.duration_s


def plan_for(base: Base, **data: Any) -> Plan:
    recipe = parse_recipe({"data": data, "qlora": {"bits": 16}})
    return Plan(base, recipe, "captioning", (), ("it hops",), system="Be brief.")


def fed(plan: Plan, path: Path) -> dict[str, Any]:
    """What our own code feeds for generating."""
    family = resolve(plan.base)
    frames, timing = family.sampling(plan.base, plan.recipe).decode(ClipFile(path, "", path.name))
    collator = family.collate(plan)
    assert isinstance(collator, ChatCollator)
    return collator.generation_inputs([{"frames": frames, "timing": timing, "captions": []}])


@pytest.mark.parametrize("kind", sorted(RATES))
@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("name", NAMES)
def test_the_plain_pipeline_feeds_the_same(
    name: str,
    shape: str,
    kind: str,
    films: dict[tuple[str, str], Path],
    bases: dict[str, Base],
    tmp_path: Path,
) -> None:
    choices = CHOICES.get(name, USUAL_CHOICES)
    for data in choices if shape == "landscape" else choices[1:2]:
        plan = plan_for(bases[name], **data)
        exported = tmp_path / str(len(data))
        own_processor(plan.base.folder, plan.recipe.data).save(exported)
        contract: dict[str, Any] = {"question": CAPTION_QUESTION, "system": "Be brief."}
        if name == "idefics":
            contract["prompt"] = ["User:", f"Be brief.\n{CAPTION_QUESTION}<end_of_utterance>\nAssistant:"]
        plain = plain_inputs(AutoProcessor.from_pretrained(exported), films[shape, kind], contract)
        ours = fed(plan, films[shape, kind])
        assert set(ours) == set(plain)
        for key, value in plain.items():
            assert ours[key].shape == value.shape, key
            assert torch.equal(ours[key].double(), value.double()), key
        steps, high, wide = input_facts(plain)["grid"]
        if "video_grid_thw" in plain:
            assert (high < wide) is (shape == "landscape")
            shared = steps if name == "video_llama_3" else 1  # a short clip may have larger frames
            most = data.get("max_frames", data.get("frames", 32)) if shared > 1 else 1
            assert shared * high * wide / 4 <= most * data.get("frame_tokens", 256)
        assert steps <= data.get("max_frames", data.get("frames", 32))
        stored = ClipShape(*length_of(plan, films[shape, kind]), *SHAPES[shape])
        layout = read_vision_layout(name, bases[name].config)
        assert layout is not None
        taken = int((plain["input_ids"] == video_token_of(plan)).sum())
        counted = clip_tokens(name, layout, plan.recipe.data, stored)
        frames, timing = resolve(plan.base).sampling(plan.base, plan.recipe).decode(clip_of(films[shape, kind]))
        assert timing is not None
        assert clip_frames(name, layout, plan.recipe.data, stored) == len(timing.indices) == len(frames)
        size = frame_size(name, layout, plan.recipe.data, stored)
        assert size == (frames.shape[2], frames.shape[1])
        assert counted == taken or (name == "video_llama_3" and taken < counted == steps * high * wide / 4)


def video_token_of(plan: Plan) -> int:
    collator = resolve(plan.base).collate(plan)
    assert isinstance(collator, ChatCollator)
    return collator.video_token_id()


def test_squares_are_sampled_by_time_and_their_seconds_are_in_the_prompt(
    films: dict[tuple[str, str], Path], bases: dict[str, Base]
) -> None:
    plan = plan_for(bases["smolvlm"])
    texts = {kind: text_of(plan, films["portrait", kind]) for kind in RATES}
    assert "series of four frames from a 0:00:04 [H:MM:SS] video.\n\nFrame from 00:00:" in texts["short"]
    assert "series of thirty-two frames from a 0:02:00 [H:MM:SS] video.\n" in texts["long"]
    assert "\nFrame from 00:01:" in texts["long"]  # its processor leaves out the first and last second of a long clip
    assert "\nFrame from 01:59:" in texts["long"]
    assert "series of nine frames from a 0:00:09" in texts["variable"]
    for data, field in (({"min_frames": 4}, "data.min_frames"), ({"frame_tokens": 64}, "data.frame_tokens")):
        with pytest.raises(Invalid, match="Leave both empty") as refused:
            resolve(plan.base).check(plan.base, parse_recipe({"data": data}), "captioning")
        assert refused.value.field == field


def test_a_rate_is_refused_where_frames_are_spread_over_the_clip(bases: dict[str, Base], tmp_path: Path) -> None:
    base = bases["llava_onevision"]
    for name, value in (("fps", 2.0), ("min_frames", 2), ("max_frames", 9), ("frame_tokens", 64)):
        with pytest.raises(Invalid, match="fixed number of square frames") as refused:
            resolve(base).check(base, parse_recipe({"data": {name: value}}), "captioning")
        assert refused.value.field == f"data.{name}"
    path = write_flickering(tmp_path / "five.mp4", 64, 64, 0.5)
    with pytest.raises(BadClip, match=r"five\.mp4 has 5 frames, and this base reads 8 at once"):
        resolve(base).sampling(base, parse_recipe({})).decode(ClipFile(path, "", "five.mp4"))


def test_frames_of_internvl_3_5_are_prepared_as_pictures(films: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    """Its settings for clips are of another size and other colours than its vision tower takes."""
    folder = make_published("internvl", tmp_path / "base")
    plain = own_processor(folder, parse_recipe({}).data)
    (folder / "video_preprocessor_config.json").write_text(json.dumps(INTERNVL_3_5))
    published = AutoProcessor.from_pretrained(folder).video_processor
    assert (published.size["height"], published.image_mean[0]) == (24, pytest.approx(0.4815, abs=1e-4))
    plan = plan_for(read_base(folder), frames=5)
    ours = fed(plan, films["landscape", "short"])
    assert ours["pixel_values"].shape == (5, 3, 28, 28)
    own_processor(folder, plan.recipe.data).save(tmp_path / "exported")
    exported = AutoProcessor.from_pretrained(tmp_path / "exported")
    question = {"question": CAPTION_QUESTION, "system": "Be brief."}
    assert torch.equal(
        plain_inputs(exported, films["landscape", "short"], question)["pixel_values"], ours["pixel_values"]
    )
    assert list(exported.video_processor.image_mean) == list(plain.processor.image_processor.image_mean)


def text_of(plan: Plan, path: Path) -> str:
    collator = resolve(plan.base).collate(plan)
    assert isinstance(collator, ChatCollator)
    return str(collator.tokenizer.decode(fed(plan, path)["input_ids"][0]))


def test_frames_follow_the_length_and_a_part_is_a_clip_of_its_own(
    films: dict[tuple[str, str], Path], bases: dict[str, Base]
) -> None:
    base = bases["qwen2_5_vl"]
    sampling = resolve(base).sampling(base, parse_recipe({}))
    seen = {kind: sampling.decode(ClipFile(films["square", kind], "", kind)) for kind in RATES}
    assert {kind: len(frames) for kind, (frames, _) in seen.items()} == {"short": 8, "long": 32, "variable": 18}
    timing = seen["long"][1]
    assert timing is not None
    assert timing.duration_s == pytest.approx(120)
    assert timing.seconds[-1] == pytest.approx(116, abs=2)
    _, part = sampling.decode(ClipFile(films["square", "long"], "", "part", Span(60.0, 70.0)))
    assert part is not None
    assert (part.total, part.fps, part.indices[0]) == (20, pytest.approx(2.0), 0)
    assert part.seconds[-1] == pytest.approx(9.5)


def test_a_clip_of_one_frame_is_refused_with_its_name(bases: dict[str, Base], tmp_path: Path) -> None:
    path = write_flickering(tmp_path / "one.mp4", 64, 64, 0.05)
    base = bases["qwen2_vl"]
    with pytest.raises(BadClip, match=r"one\.mp4 has 1 frame, and this base reads 2 at once"):
        resolve(base).sampling(base, parse_recipe({})).decode(ClipFile(path, "", "one.mp4"))


def test_the_cache_keeps_which_frames_they_are(
    films: dict[tuple[str, str], Path], bases: dict[str, Base], tmp_path: Path
) -> None:
    base = bases["qwen2_vl"]
    sampling = resolve(base).sampling(base, parse_recipe({}))
    clip = ClipFile(films["portrait", "variable"], "abc", "clip")
    first = FrameCache(tmp_path, sampling).timed_frames(clip)
    again = FrameCache(tmp_path, sampling)
    sampling_calls: list[ClipFile] = []
    object.__setattr__(again, "sampling", _Counting(sampling, sampling_calls))
    frames, timing = again.timed_frames(clip)
    assert not sampling_calls
    assert (frames == first[0]).all()
    assert timing == first[1]
    other = resolve(base).sampling(base, parse_recipe({"data": {"fps": 1.0}}))
    assert other.key != sampling.key
    assert FrameCache(tmp_path, other).path_of(clip) != again.path_of(clip)


class _Counting:
    """A sampling that notes what it decodes."""

    def __init__(self, sampling: Any, decoded: list[ClipFile]) -> None:
        self._sampling, self._decoded = sampling, decoded
        self.key, self.is_valid = sampling.key, sampling.is_valid

    def decode(self, clip: ClipFile) -> Any:
        self._decoded.append(clip)
        return self._sampling.decode(clip)


@pytest.mark.parametrize("name", NAMES)
def test_cached_features_give_the_answers_of_frames(
    name: str, films: dict[tuple[str, str], Path], bases: dict[str, Base]
) -> None:
    plan = plan_for(bases[name])
    family = resolve(plan.base)
    model = load_with_adapters(family, plan).eval()
    tower = family.vision_encoder(plan, model)
    assert tower is not None
    collate = family.collate(plan)
    losses: list[list[float]] = []
    items: list[dict[str, Any]] = []
    for path in (films["landscape", "short"], films["portrait", "variable"]):
        frames, timing = family.sampling(plan.base, plan.recipe).decode(ClipFile(path, "", path.name))
        items.append({"frames": frames, "timing": timing, "captions": ["it hops"], "training": False, "seed": (0, 0)})
    kept = [
        {key: value for key, value in item.items() if key not in ("frames", "timing")}
        | {"features": tower.encode(item["frames"], item["timing"])}
        for item in items
    ]
    with torch.no_grad():
        losses = [[float(model(**collate(batch)).loss) for batch in (side, side[:1])] for side in (items, kept)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_positions_behind_a_clip_are_those_of_the_pinned_transformers(
    films: dict[tuple[str, str], Path], bases: dict[str, Base]
) -> None:
    """Transformers 5.23 goes on behind a clip with the larger of its sides; 4.x and vLLM with its largest position.

    The two differ as soon as a clip has more steps in time than patches along a side. We feed what the plain pipeline
    of the pinned version feeds (decision 18); once upstream changes it, this test fails and the note can go.
    """
    plan = plan_for(bases["qwen2_5_vl"], frame_tokens=16)
    model = resolve(plan.base).load(plan)
    inputs = fed(plan, films["square", "long"])
    positions, _ = model.model.get_rope_index(
        inputs["input_ids"],
        inputs["mm_token_type_ids"],
        video_grid_thw=inputs["video_grid_thw"],
        second_per_grid_ts=inputs["second_per_grid_ts"],
        attention_mask=inputs["attention_mask"],
    )
    video = inputs["mm_token_type_ids"][0] == 2
    begin, end = int(video.nonzero()[0]), int(video.nonzero()[-1])
    first_behind = int(positions[:, 0, end + 1].max())
    side = int(inputs["video_grid_thw"][0, 1:].max()) // 2
    assert first_behind == begin + side
    in_4x = int(positions[:, 0, begin : end + 1].max()) + 1
    assert in_4x > first_behind
    # The steps in time are as far apart as the frames: 120 s in 16 steps, 4 positions a second in the tiny config.
    rate = model.config.vision_config.tokens_per_second
    assert float(inputs["second_per_grid_ts"][0]) == pytest.approx(7.5)
    assert in_4x - 1 - begin == int(15 * 7.5 * rate)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_a_run_answers_alike_from_its_folder_and_carries_the_proof(
    name: str,
    films: dict[tuple[str, str], Path],
    make_spec: MakeSpec,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = make_published(name, tmp_path / "base")
    words = {"landscape": "wide", "portrait": "high", "square": "even"}
    captioned = [
        ClipSpec(
            number,
            str(path),
            "",
            f"{words[shape]} and {kind}",
            "validation" if kind == "variable" or (shape, kind) == ("square", "short") else "train",
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.name,
        )
        for number, ((shape, kind), path) in enumerate(films.items(), 1)
    ]
    made = make_spec(
        optim={"epochs": 12, "learning_rate": 1e-2, "batch_size": 2},
        clips=captioned,
        data=RUNS.get(name, {"max_frames": 8, "frame_tokens": 24}),
    )
    spec = dataclasses.replace(
        made, task="captioning", class_names=[], model_path=str(base), model_ref="org/tiny", family=name
    )
    result = train(spec, recorder_of(spec), lambda: False)
    assert result.status == "completed", result.error
    adapter = Path(spec.folder) / "adapter"
    card = (adapter / "README.md").read_text()
    (adapter / "caption.py").write_text(card.split("```python\n")[1].split("```")[0])
    reported = json.loads((adapter / "predictions.json").read_text())
    assert len(reported) == 4
    paths = {clip.id: clip.path for clip in captioned}
    monkeypatch.setattr(sys, "argv", ["caption.py", *(paths[row["clip_id"]] for row in reported)])
    capsys.readouterr()
    runpy.run_path(str(adapter / "caption.py"))
    answers = dict(line.split("\t", 1) for line in capsys.readouterr().out.splitlines() if "\t" in line)
    for row in reported:
        assert " ".join(answers[paths[row["clip_id"]]].split()) == row["predicted"]
    assert ('"max_frames": 8' in card) is name.startswith("qwen")  # vLLM has no words for the others
    assert main([str(adapter), str(films["square", "long"].parent)]) == 0
    assert "6 of 6 clips are fed as in training." in capsys.readouterr().out
    _check_finds_another_processor(adapter, name)


def _check_finds_another_processor(adapter: Path, name: str) -> None:
    changes: list[tuple[str, Any]] = [("fps", 0.5), ("size", {"shortest_edge": 3136, "longest_edge": 28 * 28 * 8})]
    if name == "smolvlm":
        sampled = {"fps": 1, "max_frames": 8, "video_size": {"longest_edge": 112}}
        changes = [("video_sampling", sampled | {"max_frames": 3}), ("video_sampling", sampled | {"fps": 0.5})]
    elif CHOICES.get(name) is SPREAD:
        changes = [("num_frames", 4)]
    for key, value in changes:
        settings = json.loads((adapter / "processor_config.json").read_text())
        part = settings["image_processor" if name == "idefics" else "video_processor"]
        was = part[key]
        part[key] = value
        (adapter / "processor_config.json").write_text(json.dumps(settings))
        assert any(problem.startswith("tokens: ") for _, problem in check(adapter))
        part[key] = was
        (adapter / "processor_config.json").write_text(json.dumps(settings))
    assert [problem for _, problem in check(adapter)] == ["", "", "", *["not here"] * 3]
    (adapter / CONTRACT).unlink()
    with pytest.raises(ValueError, match=r"has no readable contract\.json"):
        list(check(adapter))


def test_a_recipe_of_before_is_served_with_square_frames(bases: dict[str, Base]) -> None:
    base = bases["qwen2_5_vl"]
    old = {"data": {"frames": 4, "size": 112}}
    assert isinstance(resolve(base).sampling(base, parse_recipe(old)), ProcessorSampling)
    square: Any = resolve(base).sampling(base, parse_recipe(stored_recipe(old)))
    assert (square.count, square.size) == (4, (("height", 112), ("width", 112)))
    kept = {"data": {"frames": 4, "size": 112, "frame_shape": "kept"}}
    assert stored_recipe(kept) == kept


def test_a_base_without_a_processor_is_refused_before_the_run(tmp_path: Path) -> None:
    folder = make_published("qwen2_vl", tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
        (folder / name).unlink()
    base = read_base(folder)
    with pytest.raises(Invalid, match=r"(tokenizer|processor) is missing or cannot be read"):
        resolve(base).check(base, parse_recipe({}), "captioning")
