"""A run over questions: the same clip gets the answer of the question, and evaluation, card and baseline ask it."""

import dataclasses
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from jobs.families.protocol import Plan, Question
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.family import VideoLLM
from jobs.playground.model_cache import _with_adapter
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from jobs.video.cache import ClipFile, FrameCache
from orchestrator.domain.annotations import Annotations, Conversation, Turn
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of

pytestmark = pytest.mark.slow
WHAT, COLOUR, WHICH = "What is it?", "What colour?", "Which way?"
OPTIONS = ("up", "down")


def asked_clip(clip: ClipSpec) -> ClipSpec:
    """A clip with a question, another with a follow-up, and a choice: no answer tells another."""
    talks = (
        Conversation((Turn(WHAT, "disc"),)),
        Conversation((Turn(COLOUR, "red"), Turn("Really?", "yes"))),
        Conversation((Turn(WHICH, "up", OPTIONS),)),
    )
    more = Annotations(conversations=talks)
    return dataclasses.replace(clip, label="", caption="", annotations=more.to_json())


def spec_of(make_spec: MakeSpec, name: str, base: Path, clips: list[ClipSpec], epochs: int = 30) -> TrainSpec:
    family = resolve(read_base(make_tiny(name, base)))
    assert isinstance(family, VideoLLM)
    data = {"frames": 2, "fps": 25} | ({} if family.architecture.fixed_size else {"size": 56})
    made = make_spec(
        optim={"epochs": epochs, "learning_rate": 1e-2, "batch_size": 4},
        clips=clips,
        data=data,
        qlora={"bits": 16, "dropout": 0},
    )
    return dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family=name)


@pytest.mark.parametrize("name", ["qwen2_vl", "smolvlm"])
def test_the_answer_depends_on_the_question(
    name: str,
    make_spec: MakeSpec,
    clips: list[ClipSpec],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = spec_of(make_spec, name, tmp_path / "base", [asked_clip(clip) for clip in clips])
    result = train(spec, recorder_of(spec), lambda: False)
    curve = list(losses(spec).values())
    assert sum(curve[-4:]) < sum(curve[:4]) - 1
    summary = result.summary
    assert summary.values["eval_answer_accuracy"] > 0.9
    assert summary.values["eval_choice_accuracy"] > 0.9
    assert summary.baseline["eval_answer_accuracy"] == 0.0
    adapter = Path(spec.folder) / "adapter"
    rows = json.loads((adapter / "predictions.json").read_text())
    said = {row["question"]: row["predicted"] for row in rows}
    assert said == {WHAT: "disc", COLOUR: "red", "Really?": "yes", f"{WHICH}\nA. up\nB. down": "up"}
    assert {row["score"] for row in rows} == {1.0}
    assert all("before" in row for row in rows)
    assert {row.question for row in summary.samples} <= set(said)
    assert summary.question == WHAT
    assert json.loads((adapter / "result.json").read_text())["question"] == WHAT
    _ask_the_card(adapter, spec, capsys, monkeypatch)
    _ask_the_playground(adapter, spec)


def _ask_the_card(
    adapter: Path, spec: TrainSpec, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card's program asks the question of the run, and another one where it is given."""
    card = (adapter / "README.md").read_text()
    assert f'that answers questions about a clip, such as "{WHAT}".' in card
    program = card.split("```python\n")[1].split("```")[0]
    name = adapter / "answer.py"
    name.write_text(program)
    for more, expected in (
        ([], "disc"),
        (["--question", COLOUR], "red"),
        (["--question", f"<video><|video_pad|>{COLOUR}"], ""),
    ):
        monkeypatch.setattr(sys, "argv", [str(name), *more, spec.clips[0].path])
        capsys.readouterr()
        runpy.run_path(str(name))
        answer = capsys.readouterr().out.split("\t")[1].strip()
        assert answer == expected or not expected  # the last question spells special tokens, and is read all the same


def _ask_the_playground(adapter: Path, spec: TrainSpec) -> None:
    base, recipe = read_base(Path(spec.model_path)), parse_recipe(spec.recipe)
    family = resolve(base)
    plan = Plan(base, recipe, "captioning", inference_only=True, adapter=adapter, question=WHAT)
    model = _with_adapter(family.load(plan), adapter).eval()
    cache = FrameCache(Path(spec.cache_dir) / "frames", family.sampling(base, recipe))
    clip = spec.clips[0]
    frames = cache.frames(ClipFile(Path(clip.path), clip.content_hash, clip.name))
    item = {"frames": frames, "captions": [], "label": -1, "training": False, "seed": (0, 0), "clip_id": 1}
    with torch.no_grad():
        answers = [family.predict(plan, model, [item], Question(text))[0].text for text in ("", COLOUR, WHAT)]
    assert answers == ["disc", "red", "disc"]


def test_a_resumed_run_draws_the_same_conversations(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    asked = [asked_clip(clip) for clip in clips[:8]]
    whole = spec_of(make_spec, "qwen2_vl", tmp_path / "base", asked, epochs=5)
    train(whole, recorder_of(whole), lambda: False)
    parts = dataclasses.replace(whole, folder=str(tmp_path / "parts"))
    Path(parts.folder).mkdir()
    assert train(parts, recorder_of(parts), stop_after(5)).status == "stopped"
    again = dataclasses.replace(parts, attempt=2)
    train(again, recorder_of(again), lambda: False)
    # Sums of floats differ in the last digits with the number of threads; another conversation differs by far more.
    assert losses(again) == pytest.approx(losses(whole), abs=1e-4)


def test_a_base_that_is_not_asked_refuses_questions_and_learns_captions(
    make_spec: MakeSpec, clips: list[ClipSpec]
) -> None:
    asked = [asked_clip(clip) for clip in clips[:8]]
    made = dataclasses.replace(make_spec(clips=asked), task="retrieval", class_names=[])
    from jobs.trainer.learned_texts import check_texts, read_annotations, training_texts
    from jobs.trainer.split import split_clips

    splits = split_clips(asked, 0.2, 0)
    with pytest.raises(Invalid, match=r"^blinking-0\.mp4 and 7 more have questions and no caption"):
        check_texts(made, read_annotations(splits))
    both = [dataclasses.replace(clip, annotations=clip.annotations | {"captions": ["it hops"]}) for clip in asked]
    splits = split_clips(both, 0.2, 0)
    assert training_texts(made, read_annotations(splits))[0] == ("it hops",) * len(splits.train)
    assert check_texts(made, read_annotations(splits)) == [
        "8 clips have questions, which this base is not asked: it learns from the captions alone."
    ]
