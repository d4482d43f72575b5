"""Answers as chat clients ask for them: why they end, stop sequences that never leak, counted tokens, sampling."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.families.generation import Abandoned, AnswerText
from jobs.families.protocol import Answer, Item, Plan, Question
from jobs.families.registry import read_base, resolve
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.builtin import FOLDER
from tests.unit.jobs.families.tiny_llms import make_tiny, token, tokenizer

END = token("<|im_end|>")
Ask = Callable[[Question], Answer]


def ids_of(text: str) -> list[int]:
    return list(tokenizer()(text, add_special_tokens=False).input_ids)


def complete(text: str, *stop: str, end: bool = True) -> tuple[AnswerText, list[str]]:
    """An answer of one token a byte, and its pieces."""
    pieces: list[str] = []
    answer = AnswerText(tokenizer(), {END}, stop, pieces.append)
    for one in [*ids_of(text), *([END] if end else [])]:
        answer.feed([one])
    answer.finish()
    assert "".join(pieces) == answer.text
    return answer, pieces


def test_the_pieces_are_the_answer_and_a_character_is_never_split() -> None:
    answer, pieces = complete("  a réd 🎬 disc.\n")
    assert (answer.text, answer.finish_reason) == ("a réd 🎬 disc.", "stop")
    assert "🎬" in "|".join(pieces)
    assert not any("\ufffd" in piece for piece in pieces)
    cut = AnswerText(tokenizer(), {END})
    cut.feed(ids_of("a 🎬")[:-1])
    cut.finish()
    assert (cut.text, cut.finish_reason) == ("a", "length")


@pytest.mark.parametrize(
    ("stop", "text", "reason"),
    [
        (("disc",), "a red", "stop"),
        (("blue", "d d"), "a re", "stop"),
        (("disc moves", "red"), "a", "stop"),
        (("disk",), "a red disc moves", "length"),
        (("moves up",), "a red disc moves", "length"),
        (("a",), "", "stop"),
        (("red disc mo", "c m"), "a red dis", "stop"),
    ],
)
def test_no_part_of_a_stop_sequence_leaks(stop: tuple[str, ...], text: str, reason: str) -> None:
    answer, pieces = complete("a red disc moves", *stop, end=False)
    assert (answer.text, answer.finish_reason) == (text, reason)
    sent = ""
    for piece in pieces:  # what was sent is never taken back
        sent += piece
        assert text.startswith(sent)


def test_padding_behind_the_end_is_no_token_of_the_answer() -> None:
    answer = AnswerText(tokenizer(), {END})
    answer.feed([*ids_of("ab"), END, 256, 256])
    answer.finish()
    assert (answer.text, len(answer.ids)) == ("ab", 3)


def asker(folder: Path, **data: Any) -> Ask:
    """Asks a base of this folder about one clip of noise."""
    base = read_base(folder)
    family = resolve(base)
    plan = Plan(base, parse_recipe({"data": data}), "captioning", inference_only=True)
    model = family.load(plan).eval()
    sampling = family.sampling(base, plan.recipe)
    sides: dict[str, int] = dict(getattr(sampling, "size", (("width", 56),)))
    edge = sides.get("width") or sides["shortest_edge"]
    frames = np.random.default_rng(0).integers(0, 256, (sampling.count, edge, edge, 3), dtype=np.uint8)
    item: Item = {"frames": frames, "captions": [], "label": -1, "training": False, "seed": (0, 0), "clip_id": 1}

    def ask(question: Question) -> Answer:
        with torch.no_grad():
            [answer] = family.predict(plan, model, [item], question)
        return answer

    return ask


@pytest.fixture(scope="module")
def captioner() -> Ask:
    return asker(FOLDER / "captioner-tiny")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return asker(make_tiny("qwen2_vl", tmp_path_factory.mktemp("qwen")), frames=4, size=56)


def test_the_shipped_captioner_hears_its_limit(captioner: Ask) -> None:
    whole = captioner(Question())
    assert whole.finish_reason == "stop"
    assert whole.completion_tokens == len(whole.text.split()) + 1  # a word each, and the end
    assert whole.prompt_tokens == 4 * 6 * 6 + 1
    for limit in (1, 2, 5):
        cut = captioner(Question(max_new_tokens=limit))
        assert (cut.finish_reason, cut.completion_tokens) == ("length", limit)
        assert cut.text == " ".join(whole.text.split()[:limit])
    assert captioner(Question(max_new_tokens=512, temperature=1.0, seed=3)).completion_tokens <= 64
    word = whole.text.split()[2]
    stopped = captioner(Question(stop=(word,)))
    assert (stopped.text, stopped.finish_reason) == (whole.text.partition(word)[0].strip(), "stop")
    assert stopped.completion_tokens == 3


def test_a_language_model_is_cut_and_counted(qwen: Ask) -> None:
    pieces: list[str] = []
    cut = qwen(Question("What moves?", 3, pieces.append))
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 3)
    assert "".join(pieces) == cut.text
    longer = qwen(Question("What moves? What else moves?", 3))
    assert longer.prompt_tokens - cut.prompt_tokens == len(" What else moves?")
    assert qwen(Question("x" * 1_900, 500)).completion_tokens < 500  # the context ends first
    with pytest.raises(Exception, match="this base reads 2048"):
        qwen(Question("x" * 3_000))


@pytest.mark.parametrize("which", ["captioner", "qwen"])
def test_sampling_can_be_repeated(which: str, request: pytest.FixtureRequest) -> None:
    ask: Ask = request.getfixturevalue(which)
    question = partial(Question, "", 24)
    greedy = ask(question()).text
    assert {ask(question(temperature=0.0, seed=seed)).text for seed in (1, 2)} == {greedy}
    assert ask(question(temperature=2.0, top_p=0.0)).text == greedy
    sampled = [ask(question(temperature=2.0, seed=seed)).text for seed in (1, 2, -5, 2**64)]
    assert [ask(question(temperature=2.0, seed=seed)).text for seed in (1, 2, -5, 2**64)] == sampled
    assert len(set(sampled)) > 1
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    assert len({ask(question(temperature=2.0)).text for _ in range(4)}) > 1  # without a seed it differs
    assert torch.equal(torch.random.get_rng_state(), before)


def test_nobody_waits_for_the_rest(qwen: Ask) -> None:
    heard: list[str] = []
    with pytest.raises(Abandoned):
        qwen(Question("", 400, heard.append, is_abandoned=lambda: len("".join(heard)) > 4))
    assert len("".join(heard)) < 40
