"""The turns of conversations: marks of films are taken out of the question's front, words like them stay."""

import pytest

from orchestrator.services.datasets.ingest.layouts.conversations import ConversationReader


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("<video>What?", "What?"),
        ("<video>\n<video>\nWhat is <video>?", "What is <video>?"),
        ("What?\n<video>", "What?"),
        ("Name <audio> and <image>.", "Name <audio> and <image>."),
        ("<image>\n<video>\nWhat?", "What?"),
        ("<|vision_start|><|video_pad|><|vision_end|>What?", "What?"),
        ('What does <video controls src="a.mp4"> do?', 'What does <video controls src="a.mp4"> do?'),
        ("<video>Which elements? Not <image>, but <video>.", "Which elements? Not <image>, but <video>."),
    ],
)
def test_only_marks_of_films_are_taken_out_of_a_question(question: str, expected: str) -> None:
    turns = [{"from": "human", "value": question}, {"from": "gpt", "value": "A <video>, <image>."}]
    turns += [{"from": "human", "value": "<video> again?"}, {"from": "gpt", "value": "Yes."}]
    (talk,) = ConversationReader().read(turns)
    assert (talk.turns[0].question, talk.turns[0].answer) == (expected, "A <video>, <image>.")
    if "<video>" in question:
        assert talk.turns[1].question == "<video> again?"


def test_a_film_that_is_a_part_of_the_turn_has_no_mark() -> None:
    parts = [{"type": "video", "video": "a.mp4"}, {"type": "text", "text": "<video> is what?"}]
    (talk,) = ConversationReader().read(
        [{"role": "user", "content": parts}, {"role": "assistant", "content": "A tag."}]
    )
    assert talk.turns[0].question == "<video> is what?"
