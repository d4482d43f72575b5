"""What a frozen eye says of a clip is kept once for all runs, never half, never for another eye."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.families.protocol import Features, Plan
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.family import VideoLLM
from jobs.families.video_llm.vision_tower import is_frozen
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.cache_share import CacheShare
from jobs.trainer.features import FeatureCache
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from jobs.video import cache as cache_module
from jobs.video.cache import ClipFile, FrameCache, Sampling
from jobs.video.cache_eviction import CacheBudget
from jobs.video.lookahead import DecodeAhead
from jobs.video.source import BadClip
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.tiny_llms import CONFIGS, edge_of, make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

HOW = Sampling(4, (("height", 48), ("width", 48)))


class CountingEncoder:
    """Says the mean colour of each frame, and how often it was asked."""

    def __init__(self, key: str = "a") -> None:
        self.key, self.asked = key, 0

    def encode(self, frames: np.ndarray, timing: object) -> Features:
        self.asked += 1
        return {"colours": torch.from_numpy(frames.mean((1, 2)))}


@pytest.fixture
def files(tmp_path: Path) -> list[ClipFile]:
    made = [write_mp4(tmp_path / f"{n}.mp4", demo_frames("zooming", n)) for n in range(5)]
    return [ClipFile(path, f"hash-{n}", path.name) for n, path in enumerate(made)]


def cache_of(folder: Path, eye: CountingEncoder, how: Sampling = HOW, limit: int = 0, threads: int = 1) -> FeatureCache:
    budget = CacheBudget(limit, folder / "frames", folder / "features")
    frames = FrameCache(folder / "frames", how, budget=budget)
    return FeatureCache(folder / "features", eye, frames, budget, DecodeAhead(frames, threads), threads)


def share_of(cache: FeatureCache, files: list[ClipFile]) -> CacheShare:
    share = cache.prepare(lambda: files)
    assert share is not None
    return share


def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the clips that are decoded from now on."""
    names, decode = list[str](), cache_module.decode_sample

    def count(path: Path, *args: Any) -> Any:
        names.append(path.name)
        return decode(path, *args)

    monkeypatch.setattr(cache_module, "decode_sample", count)
    return names


def test_each_clip_is_seen_once_for_all_runs(tmp_path: Path, files: list[ClipFile]) -> None:
    first = CountingEncoder()
    cache = cache_of(tmp_path, first)
    assert share_of(cache, files).features == 5
    cache.of_batch(files[:3])
    later = CountingEncoder()
    cache = cache_of(tmp_path, later)
    share = share_of(cache, files)
    cache.of_batch([*files, files[4]])
    assert (first.asked, later.asked, share.found, cache.encoded) == (3, 2, 3, 2)
    assert torch.equal(cache.features(files[0])["colours"], cache_of(tmp_path, later).features(files[0])["colours"])
    assert not list(tmp_path.rglob("*.part"))
    assert not list((tmp_path / "frames").rglob("*.npy"))  # what is seen once is not kept twice


def test_several_threads_encode_at_once_with_equal_features(tmp_path: Path, files: list[ClipFile]) -> None:
    alone, several = CountingEncoder(), CountingEncoder()
    one, two = cache_of(tmp_path / "one", alone), cache_of(tmp_path / "two", several, threads=2)
    one.of_batch(files)
    assert torch.equal(two.features(files[0], files[1:])["colours"], one.features(files[0])["colours"])
    assert several.asked == 2  # the next one, too
    two.of_batch(files)
    assert several.asked == 5
    for file in files:
        assert two.path_of(file).read_bytes() == one.path_of(file).read_bytes()
    broken = ClipFile(tmp_path / "none.mp4", "none", "none.mp4")
    with pytest.raises(BadClip, match=r"none\.mp4"):
        cache_of(tmp_path / "three", CountingEncoder(), threads=2).of_batch([*files, broken])


def test_features_of_another_tower_clip_or_sampling_are_not_reused(tmp_path: Path, files: list[ClipFile]) -> None:
    cache_of(tmp_path, CountingEncoder()).of_batch(files[:1])
    same = dataclasses.replace(files[0], path=tmp_path / "elsewhere.mp4")
    assert cache_of(tmp_path, CountingEncoder()).features(same)["colours"].shape == (4, 3)
    for eye, how in ((CountingEncoder("b"), HOW), (CountingEncoder(), dataclasses.replace(HOW, count=2))):
        cache_of(tmp_path, eye, how).features(files[0])
        assert eye.asked == 1
    other = CountingEncoder()
    cache_of(tmp_path, other).features(dataclasses.replace(files[0], content_hash="changed"))
    assert other.asked == 1


def test_half_a_file_is_never_read(tmp_path: Path, files: list[ClipFile]) -> None:
    whole = cache_of(tmp_path, CountingEncoder())
    expected = whole.features(files[0])["colours"]
    path = whole.path_of(files[0])
    content = path.read_bytes()
    for part in (content[:-4], content[:20], b""):
        path.write_bytes(part)
        eye = CountingEncoder()
        cache = cache_of(tmp_path, eye)
        assert torch.equal(cache.features(files[0])["colours"], expected)
        assert eye.asked == 1
        assert path.read_bytes() == content


def test_what_does_not_fit_is_encoded_when_it_is_needed(
    tmp_path: Path, files: list[ClipFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features are smaller than frames here: those of two clips are kept, and the others are decoded each time."""
    whole = cache_of(tmp_path / "whole", CountingEncoder())
    expected = whole.of_batch(files)
    size = whole.path_of(files[0]).stat().st_size
    eye, names = CountingEncoder(), decoded(monkeypatch)
    cache = cache_of(tmp_path / "small", eye, limit=2 * size + 10)
    share = share_of(cache, files)
    assert (share.clips, share.features, share.frames, share.feature_bytes) == (5, 2, 0, size)
    assert "has room for 2 of them; 3 are decoded and encoded in each step." in share.sentence()
    for _ in range(3):
        found = cache.of_batch(files)
        assert all(torch.equal(mine["colours"], other["colours"]) for mine, other in zip(found, expected, strict=True))
    assert eye.asked == len(names) == 5 + 3 + 3
    assert not cache.full


def test_frames_that_are_smaller_than_features_come_first(
    tmp_path: Path, files: list[ClipFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    class WideEncoder(CountingEncoder):
        def encode(self, frames: np.ndarray, timing: object) -> Features:
            return super().encode(frames, timing) | {"wide": torch.zeros(30_000)}

    size = 4 * 48 * 48 * 3 + 128
    whole = cache_of(tmp_path / "whole", WideEncoder())
    whole.of_batch(files[:1])
    features = whole.path_of(files[0]).stat().st_size
    for room, kept in ((5 * size + (features - size) * 2, (2, 3)), (3 * size, (0, 3)), (5 * features, (5, 0))):
        eye, names = WideEncoder(), decoded(monkeypatch)
        cache = cache_of(tmp_path / str(room), eye, limit=room + 2000)
        share = share_of(cache, files)
        assert (share.features, share.frames) == kept
        cache.of_batch(files)
        names.clear()
        cache.of_batch(files)
        assert len(names) == 5 - sum(kept)
        monkeypatch.undo()


def test_found_features_that_do_not_fit_may_be_evicted(tmp_path: Path, files: list[ClipFile]) -> None:
    """An earlier run kept all; with a smaller limit some are given up, and what is written later evicts them."""
    before = cache_of(tmp_path, CountingEncoder())
    before.of_batch(files)
    paths = [before.path_of(file) for file in files]
    for path in paths:
        os.utime(path, (1, 1))
    size = paths[0].stat().st_size
    cache = cache_of(tmp_path, CountingEncoder(), limit=3 * size)
    share = share_of(cache, files)
    assert (share.found, share.features) == (5, 3)
    cache.of_batch(files)
    assert [path.stat().st_mtime > 1 for path in paths] == [True] * 3 + [False] * 2


def test_clips_that_are_announced_are_decoded_ahead(
    tmp_path: Path, files: list[ClipFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = decoded(monkeypatch)
    cache = cache_of(tmp_path, CountingEncoder(), threads=2)
    cache.of_batch(files[:2])
    names.clear()
    cache.expect(files)
    with cache._ahead as ahead:
        ahead.timed_frames(files[2], keep=False)
        ahead.timed_frames(files[4], keep=False)
    assert sorted(names)[:1] == ["2.mp4"]
    assert len(names) == len(set(names)) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_the_loss_is_the_same_through_the_cache(name: str, tmp_path: Path) -> None:
    base = read_base(make_tiny(name, tmp_path / "base"))
    family = resolve(base)
    assert isinstance(family, VideoLLM)
    recipe = parse_recipe({"data": {"frames": 4} | ({} if family.architecture.fixed_size else {"size": 56})})
    plan = Plan(base, recipe, "captioning", (), ("it hops", "it looms now"))
    model = load_with_adapters(family, plan)
    eye, edge = family.vision_encoder(plan, model), edge_of(family.sampling(base, recipe))
    assert eye is not None
    dice = np.random.default_rng(0)
    items = []
    for number, said in enumerate(plan.captions):
        frames = dice.integers(0, 256, (4, edge, edge, 3), dtype=np.uint8)
        items.append({"frames": frames, "captions": [said], "training": True, "seed": (0, number), "clip_id": number})
    kept = [
        {name: v for name, v in item.items() if name != "frames"} | {"features": eye.encode(item["frames"], None)}
        for item in items
    ]
    model.train()
    collate = family.collate(plan)
    with torch.no_grad():
        torch.manual_seed(0)
        plain = float(model(**collate(items)).loss)
        torch.manual_seed(0)
        cached = float(model(**collate(kept)).loss)
    assert cached == pytest.approx(plain, abs=1e-5)
    assert model.training
    for parameter in model.get_base_model().get_submodule(family.architecture.vision_modules[0]).parameters():
        parameter.requires_grad = True
    assert not is_frozen(model, family.architecture)
    assert family.vision_encoder(plan, model) is None


@pytest.mark.slow
def test_two_runs_share_what_was_seen(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same losses to four decimals with the frames alone, with the cache empty, and with the cache full."""
    base = make_tiny("qwen2_vl", tmp_path / "base")
    said = [dataclasses.replace(clip, label="", caption=f"it is {clip.label}") for clip in clips[:8]]

    def go(name: str) -> tuple[dict[int, float], str, float]:
        made = make_spec(
            name,
            optim={"epochs": 2, "learning_rate": 1e-2, "batch_size": 3},
            clips=said,
            data={"frames": 4, "size": 56},
        )
        spec = dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family="qwen2_vl")
        result = train(spec, recorder_of(spec), lambda: False)
        notes = [each["message"] for each in records(spec) if each["kind"] == "note" and each["name"] != "exported"]
        return losses(spec), " ".join(notes), result.summary.values["eval_loss"]

    empty, first, loss = go("empty")
    full, second, again = go("full")
    assert "0 of 8 in an earlier run" in first
    assert "8 of 8 in an earlier run" in second
    monkeypatch.setattr(VideoLLM, "vision_encoder", lambda self, plan, model: None)
    frames, silent, plain = go("frames")
    assert silent == ""
    assert list(empty.values()) == pytest.approx(list(frames.values()), abs=5e-5)
    assert full == empty
    assert (loss, again) == (pytest.approx(plain, abs=5e-5), loss)
