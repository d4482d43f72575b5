"""What is read of a chat, and what is refused with its message."""

from typing import Any

import pytest

from orchestrator.api.openai.messages import Chat, Message, ShownClip, read_chat
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import ChatTurn

CLIP = {"type": "video_url", "video_url": {"url": "clip:1"}}
OTHER = {"type": "video_url", "video_url": {"url": "clip:2"}}
PICTURE = "data:image/jpeg;base64,AAAA"


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def chat(*turns: tuple[str, Any]) -> Chat:
    return read_chat([Message.model_validate({"role": role, "content": content}) for role, content in turns])


def test_the_clip_of_an_earlier_turn_belongs_to_the_chat() -> None:
    read = chat(
        ("system", "Be brief."),
        ("user", [CLIP, text("What moves?")]),
        ("assistant", "A disc."),
        ("user", "And its colour?"),
    )
    assert read.system == "Be brief."
    assert read.earlier == (ChatTurn("user", "What moves?", True), ChatTurn("assistant", "A disc."))
    assert (read.question, read.clip, read.warnings) == ("And its colour?", ShownClip("clip:1"), ())


def test_the_newest_clip_is_shown_and_the_older_one_named() -> None:
    turns = (("user", [CLIP, text("One?")]), ("assistant", "A disc."), ("user", [OTHER, text("Two?")]))
    read = chat(*turns)
    assert read.clip == ShownClip("clip:2")
    assert not any(turn.shows_clip for turn in read.earlier)
    assert read.warnings == ("This chat shows several clips: the model sees the newest one only.",)
    again = chat(*(turns[:2]), ("user", [CLIP, text("Two?")]))  # clients that send the same clip again
    assert again.warnings == ()


def test_instructions_in_the_middle_stay_where_they_stand() -> None:
    read = chat(
        ("developer", [text("First."), text("Second.")]),
        ("user", [text("What moves?"), CLIP]),
        ("assistant", [{"type": "refusal", "refusal": "I cannot tell."}]),
        ("system", "Answer in French."),
        ("user", "Try."),
        ("user", "Please."),
        ("system", "One word."),
    )
    assert read.system == "First.\nSecond."
    assert [turn.text for turn in read.earlier] == ["What moves?", "I cannot tell."]
    assert read.question == "Answer in French.\nTry.\nPlease.\nOne word."


@pytest.mark.parametrize(
    ("content", "clip"),
    [
        ([{"type": "video_url", "video_url": "clip:1"}], ShownClip("clip:1")),
        ([{"type": "video", "video": "clip:1"}], ShownClip("clip:1")),
        ([{"type": "video", "video": [PICTURE, PICTURE], "fps": 4}], ShownClip("", (PICTURE, PICTURE), 4.0)),
        ([{"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}}] * 3, ShownClip("", (PICTURE,) * 3)),
        (
            [{"type": "video_url", "video_url": {"url": "data:video/jpeg;base64,AAAA,BBBB"}}],
            ShownClip("", (PICTURE, "data:image/jpeg;base64,BBBB")),
        ),
    ],
)
def test_a_clip_in_every_form_that_clients_send(content: list[dict[str, Any]], clip: ShownClip) -> None:
    assert chat(("user", content)).clip == clip


@pytest.mark.parametrize(
    ("turns", "field", "sentence"),
    [
        ([("user", "What moves?")], "messages", "Show a clip: a content part of type video_url"),
        ([("user", [CLIP]), ("assistant", "A disc.")], "messages", "The last message must be the user's"),
        ([("user", [CLIP, OTHER])], "messages[0]", "shows 2 clips"),
        ([("user", [CLIP, {"type": "image_url", "image_url": PICTURE}])], "messages[0]", "shows 2 clips"),
        ([("user", [{"type": "video_url"}])], "messages[0]", "the address of its clip is missing"),
        ([("user", [{"type": "video", "video": []}])], "messages[0]", "the address of its clip is missing"),
        ([("system", [CLIP]), ("user", "?")], "messages[0].content[0]", "only a message of the user"),
        # The part that is not read is named, not the clip that seems to be missing because of it.
        ([("user", [text("?"), {"type": "input_audio"}])], "messages[0].content[1]", "type input_audio is not read"),
        ([("user", [CLIP]), ("tool", "4"), ("user", "?")], "messages[1]", "calls of tools"),
    ],
)
def test_refusals_name_the_message(turns: list[tuple[str, Any]], field: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence.replace("[", r"\[")) as refused:
        chat(*turns)
    assert refused.value.field == field


def test_a_participants_name_is_left_out_in_words() -> None:
    messages = [Message.model_validate({"role": "user", "content": [CLIP, text("?")], "name": "ada"})]
    assert read_chat(messages).warnings == ("messages[0].name is not shown to the model.",)


def test_options_of_a_part_that_are_not_followed_are_named() -> None:
    read = chat(("user", [CLIP | {"fps": 4, "max_pixels": 50_176}, text("?")]))
    assert read.warnings == tuple(
        f"messages[0].content[0].{name} is not followed: the base's own sampling and size are used."
        for name in ("max_pixels", "fps")
    )
    frames = chat(("user", [{"type": "image_url", "image_url": PICTURE, "fps": 8}]))
    assert (frames.clip.fps, frames.warnings) == (8.0, ())


def test_a_refusal_without_content_is_a_turn() -> None:
    given = [{"role": "user", "content": [CLIP, text("One?")]}, {"role": "assistant", "refusal": "No."}]
    read = read_chat([Message.model_validate(turn) for turn in [*given, {"role": "user", "content": "Two?"}]])
    assert [turn.text for turn in read.earlier] == ["One?", "No."]
