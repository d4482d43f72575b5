"""What a base cannot do is refused before anything is loaded, with a sentence and the field of the job form."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.bases.captioner_captions import word_tokenizer
from jobs.families.protocol import Base, Plan
from jobs.families.registry import MODULES, read_base, resolve
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from orchestrator.settings import ROOT
from tests.fakes.bases import ENCODERS, RETRIEVERS, make_base
from tests.unit.jobs.families.published import FILES
from tests.unit.jobs.families.tiny_llms import CONFIGS, tokenizer, write_processor

BUILTIN = ROOT / "orchestrator" / "builtin" / "models"
LLMS = sorted(CONFIGS)
CLASSIFIERS = ["videomae", *sorted(ENCODERS)]
FITS = [("a.mp4", "it hops")]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    """One base for each family; the language models without weights, which no check reads."""
    made: dict[str, Base] = {"videomae": read_base(BUILTIN / "videomae-tiny")}
    made["vision-encoder-decoder"] = read_base(BUILTIN / "captioner-tiny")
    for name in (*ENCODERS, *RETRIEVERS):
        made[name] = read_base(make_base(name, tmp_path_factory.mktemp(name)))
    for name in LLMS:
        folder = tmp_path_factory.mktemp(name)
        (folder / "config.json").write_text(json.dumps({"model_type": name} | CONFIGS[name]))
        tokenizer().save_pretrained(folder)
        means = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        if name in FILES:
            write_processor(name, folder)
        for file, content in FILES.get(name, {"preprocessor_config.json": means}).items():
            (folder / file).write_text(json.dumps(content))
        made[name] = read_base(folder)
    return made


def _task(name: str) -> str:
    return "classification" if name in CLASSIFIERS else "retrieval" if name in RETRIEVERS else "captioning"


def _refused(base: Base, task: str, **change: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        resolve(base).check(base, parse_recipe({"optim": {"batch_size": 4}} | change), task)
    assert refused.value.message.endswith(".")
    return refused.value


def test_every_family_accepts_its_own_task(bases: dict[str, Base]) -> None:
    assert set(bases) == set(MODULES)
    for name, base in bases.items():
        resolve(base).check(base, parse_recipe({"optim": {"batch_size": 4}}), _task(name))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_another_task_is_refused(name: str, bases: dict[str, Base]) -> None:
    wrong = "captioning" if name in CLASSIFIERS else "classification"
    error = _refused(bases[name], wrong)
    assert error.field == "model_id"
    assert "Choose a dataset with " in error.message


@pytest.mark.parametrize("name", ["videomae", "timesformer", "vivit", "vision-encoder-decoder", "xclip", "vjepa2",
                                  "vision-text-dual-encoder"])  # fmt: skip
def test_a_frame_count_it_cannot_take_is_refused(name: str, bases: dict[str, Base]) -> None:
    assert _refused(bases[name], _task(name), data={"frames": 7}).field == "data.frames"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_frame_size_it_cannot_take_is_refused(name: str, bases: dict[str, Base]) -> None:
    error = _refused(bases[name], _task(name), data={"size": 100, "frame_shape": "square"})
    assert error.field == "data.size"
    assert "exactly" in error.message or "multiple of" in error.message


@pytest.mark.parametrize("name", sorted(set(MODULES) - set(CLASSIFIERS)))
def test_a_missing_tokenizer_is_refused(name: str, bases: dict[str, Base], tmp_path: Path) -> None:
    base = Base(tmp_path, bases[name].config, bases[name].processor)
    (tmp_path / "config.json").write_text(json.dumps(base.config))
    with pytest.raises(Invalid, match=r"tokenizer.*Register"):
        resolve(base).caption_warnings(Plan(base, parse_recipe({}), _task(name)), FITS)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_missing_preprocessor_is_warned_of(name: str, bases: dict[str, Base], tmp_path: Path) -> None:
    """The run is possible, but it says what it assumes."""
    for path in bases[name].folder.glob("*.json"):
        if "processor" not in path.name:
            (tmp_path / path.name).write_text(path.read_text())
    bare = read_base(tmp_path)
    data = {"frame_shape": "square"} | ({"frames": 4, "size": 56} if name.startswith("qwen") else {})
    plan = Plan(bare, parse_recipe({"data": data}), _task(name), ("a", "b"))
    captions = [] if name in CLASSIFIERS else FITS
    assert len(_processor_warnings(bare, plan, captions)) == 1
    complete = Plan(bases[name], plan.recipe, plan.task, plan.class_names)
    assert not _processor_warnings(bare, complete, captions)


def _processor_warnings(base: Base, plan: Plan, captions: list[tuple[str, str]]) -> list[str]:
    warnings = resolve(base).caption_warnings(plan, captions)
    return [warning for warning in warnings if "preprocessor_config.json" in warning]


def test_an_image_encoder_is_refused(tmp_path: Path) -> None:
    base = Base(tmp_path, {"model_type": "vision-encoder-decoder", "encoder": {"model_type": "vit"}}, {})
    assert "only VideoMAE encoders can be trained" in _refused(base, "captioning").message


def test_a_config_without_its_video_token_is_refused(bases: dict[str, Base], tmp_path: Path) -> None:
    word_tokenizer().save_pretrained(tmp_path)
    config = {key: value for key, value in bases["internvl"].config.items() if "token" not in key}
    base = Base(tmp_path, config, bases["internvl"].processor)
    recipe = parse_recipe({"data": {"frame_shape": "square"}})
    with pytest.raises(Invalid, match="does not name its image_token_id"):
        resolve(base).caption_warnings(Plan(base, recipe, "captioning"), FITS)
