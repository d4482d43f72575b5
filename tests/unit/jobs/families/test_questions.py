"""What is learned about a clip, what is asked about it, and how right an answer is."""

import pytest
import torch

from jobs.families.answer_metrics import answer_scores, chosen_option, normalize_answer, vqa_accuracy
from jobs.families.captioning import evaluate_answers
from jobs.families.protocol import Item
from jobs.families.questions import (
    AskedQuestion,
    asked_questions,
    choose_conversation,
    training_conversations,
    usual_question,
)
from orchestrator.domain.annotations import CAPTION_QUESTION, Conversation, Turn

COLOURS = ("red", "deep blue", "green")
TALK = Conversation((Turn("What moves?", "A disc."), Turn("Its colour?", "red", COLOURS)), "Be brief.")


def item(captions: list[str], *conversations: Conversation) -> Item:
    return {"captions": captions, "conversations": list(conversations), "clip_id": 4}


def one(question: str, answer: str) -> Conversation:
    return Conversation((Turn(question, answer),))


def test_a_clip_teaches_its_captions_and_its_conversations() -> None:
    told = item(["it hops", "a hop"], TALK)
    learned = training_conversations(told)
    assert [[turn.answer for turn in talk.turns] for talk in learned] == [["it hops"], ["a hop"], ["A disc.", "red"]]
    assert learned[0].turns[0].question == CAPTION_QUESTION
    drawn = {choose_conversation(told, torch.Generator().manual_seed(seed)) for seed in range(30)}
    assert drawn == set(learned)
    assert choose_conversation(told, None) == learned[0]
    assert training_conversations({"captions": ["it hops"]}) == [learned[0]]


def test_each_question_is_asked_once_with_all_its_answers() -> None:
    asked = asked_questions(item(["it hops", "a hop"], TALK, one("Why?", "fun"), one("Why?", "joy"), one("What?", "x")))
    assert [(row.text, row.references, len(row.conversation.turns)) for row in asked] == [
        ("", ("it hops", "a hop"), 1),
        ("What moves?", ("A disc.",), 1),
        ("Its colour?\nA. red\nB. deep blue\nC. green", ("red",), 2),
        ("Why?", ("fun", "joy"), 1),
        ("What?", ("x",), 1),
    ]
    assert [row.is_caption for row in asked] == [True, False, False, False, False]
    assert {row.conversation.system for row in asked[1:3]} == {"Be brief."}


def test_the_usual_question_is_the_one_most_conversations_begin_with() -> None:
    assert usual_question([]) == ("", "")
    assert usual_question([TALK, TALK, one("Why?", "fun")]) == ("What moves?", "Be brief.")
    assert usual_question(training_conversations(item(["a", "b"], TALK))) == ("", "")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("A man is running.", "man is running"),
        ("Two", "2"),
        ("1.5 m", "1.5 m"),
        ("1,5; it\u2019s", "1,5 its"),
        ("YES!", "yes"),
    ],
)
def test_answers_are_compared_without_case_punctuation_and_articles(text: str, normal: str) -> None:
    assert normalize_answer(text) == normal


def test_vqa_accuracy_counts_the_annotators_who_agree() -> None:
    assert vqa_accuracy("The red one.", ["red one"]) == 1.0
    assert vqa_accuracy("red", ["blue", "green"]) == 0.0
    ten = ["red"] * 2 + ["blue"] * 8
    # Without one of the two who said red: 1/3, eight times with both: 2/3 (worked by hand).
    assert vqa_accuracy("red", ten) == pytest.approx((2 * 1 / 3 + 8 * 2 / 3) / 10)
    assert vqa_accuracy("blue", ten) == 1.0


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ("deep blue", "deep blue"), ("Deep blue.", "deep blue"), ("B", "deep blue"), ("b.", "deep blue"),
        ("(C)", "green"), ("B. anything", "deep blue"), ("A: red", "red"), ("D", None), ("a deep one", None),
        ("", None), ("purple", None), ("bananas", None),
    ],
)  # fmt: skip
def test_an_option_is_chosen_by_its_text_or_as_a_to_z(said: str, option: str | None) -> None:
    assert chosen_option(COLOURS, said) == option


def test_free_answers_and_choices_are_measured_apart() -> None:
    asked = asked_questions(item(["it hops"], TALK, one("Why?", "fun")))
    values = answer_scores(asked, ["nothing", "disc", "b", "for fun"])
    assert values == {"eval_answer_accuracy": [1.0, 0.0], "eval_choice_accuracy": [0.0]}
    assert answer_scores(asked[:1], ["it hops"]) == {}


def test_an_evaluation_asks_every_question_at_the_end_and_one_of_each_clip_before() -> None:
    validation = [{"captions": [], "conversations": [TALK, one("Why?", f"reason {n}")], "clip_id": n} for n in range(4)]

    def generate(items: object, asked: list[AskedQuestion]) -> list[str]:
        return [question.references[0].upper() for question in asked]

    every = evaluate_answers(validation, True, 5, generate)  # type: ignore[arg-type]
    assert [row.key for row in every.clips] == [(clip, number) for clip in range(4) for number in range(3)]
    assert every.values["eval_answer_accuracy"] == every.values["eval_choice_accuracy"] == 1.0
    assert every.summary.intervals["eval_answer_accuracy"] == every.summary.intervals["eval_choice_accuracy"] == (1, 1)
    assert every.values["eval_exact"] == 0.0
    first = every.clips[1].to_json()
    assert first == {
        "clip_id": 0, "reference": "red", "predicted": "RED", "number": 1, "score": 1.0,
        "question": "Its colour?\nA. red\nB. deep blue\nC. green",
    }  # fmt: skip
    some = evaluate_answers(validation, False, 5, generate)  # type: ignore[arg-type]
    assert [row.key for row in some.clips] == [(0, 0), (1, 1), (2, 2), (3, 0)]
    asks_first = evaluate_answers(validation, True, 5, generate, lambda asked: len(asked.conversation.turns) == 1)  # type: ignore[arg-type]
    assert [row.number for row in asks_first.clips] == [0, 2] * 4


def test_the_interval_of_vqa_accuracy_is_that_of_its_questions_alone() -> None:
    """Half of 40 free answers are right: the mean of 40 coins is 0.5 +- 1.96 * 0.5 / sqrt(40) = 0.155."""
    validation = [{"captions": [], "conversations": [TALK, one("Why?", "fun")], "clip_id": n} for n in range(20)]

    def generate(items: object, asked: list[AskedQuestion]) -> list[str]:
        return [{"What moves?": "a disc", "Why?": "no idea"}.get(question.turn.question, "red") for question in asked]

    score = evaluate_answers(validation, True, 60, generate)  # type: ignore[arg-type]
    low, high = score.summary.intervals["eval_answer_accuracy"]
    assert score.values["eval_answer_accuracy"] == 0.5
    assert (low, high) == (pytest.approx(0.345, abs=0.03), pytest.approx(0.655, abs=0.03))
    assert score.summary.intervals["eval_choice_accuracy"] == (1.0, 1.0)
    assert not evaluate_answers(validation, False, 60, generate).summary.intervals  # type: ignore[arg-type]
