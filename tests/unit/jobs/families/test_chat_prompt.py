"""A user's chat as a base's own template writes it; where there is none, in the form that its family reads."""

import pytest

from jobs.families.protocol import Question
from jobs.families.video_llm.family import VideoLLM
from jobs.families.video_llm.idefics import FAMILY as IDEFICS
from jobs.families.video_llm.prompt import ChatFormat, PartKind, chat_of_question
from jobs.families.video_llm.qwen2_vl import FAMILY as QWEN
from jobs.families.video_llm.smolvlm import FAMILY as SMOLVLM
from orchestrator.domain.annotations import CAPTION_QUESTION
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import ChatTurn
from tests.unit.jobs.families.tiny_llms import SPECIAL, tokenizer

PARTS = """{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}\
{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""As Qwen2-VL has it."""
STRINGS = """{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no system') }}\
{% elif message['role'] == 'assistant' %}{{ ' ASSISTANT: ' + message['content'] }}{% else %}USER: \
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}\
{% endfor %}{% endif %}{% endif %}{% endfor %}{% if add_generation_prompt %} ASSISTANT: {% endif %}"""
"""Without a role for instructions, and with the assistant's texts as plain strings."""
FORGETFUL = """{% for part in messages[-1]['content'] %}{% if part['type'] == 'video' %}\
<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"""
"""Writes the last turn only."""
CHAT = Question(
    "And its colour?",
    system="Be brief.",
    earlier=[ChatTurn("user", "What moves?", shows_clip=True), ChatTurn("assistant", "A disc.")],
)
CLIP = "<|vision_start|>{clip}<|vision_end|>"


def prompt(template: str | None, question: Question, family: VideoLLM = QWEN) -> str:
    """The text with {clip} in the place of the clip."""
    one = tokenizer()
    one.chat_template = template
    parts = ChatFormat(one, family.architecture).parts(chat_of_question(question))
    return "".join("{clip}" if part.kind is PartKind.CLIP else part.text for part in parts)


def test_earlier_turns_stand_before_the_question_and_the_clip_where_it_was_shown() -> None:
    assert prompt(PARTS, CHAT) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n" + CLIP + "What moves?<|im_end|>\n"
        "<|im_start|>assistant\nA disc.<|im_end|>\n<|im_start|>user\nAnd its colour?<|im_end|>\n<|im_start|>assistant\n"
    )
    later = Question("And its colour?", earlier=[ChatTurn("user", "Hello."), ChatTurn("assistant", "Hi.")])
    assert f"{CLIP}And its colour?" in prompt(PARTS, later)


def test_a_template_that_knows_less_gets_the_chat_in_its_own_form() -> None:
    written = f"USER: {CLIP}Be brief.\nWhat moves? ASSISTANT: A disc.USER: And its colour? ASSISTANT: "
    assert prompt(STRINGS, CHAT) == written


@pytest.mark.parametrize("template", [None, FORGETFUL])
def test_turns_that_a_template_drops_are_written_in_the_familys_form(template: str | None) -> None:
    assert prompt(template, CHAT) == (
        f"<|im_start|>user\n{CLIP}Be brief.\nWhat moves?<|im_end|>\n<|im_start|>assistant\nA disc.<|im_end|>\n"
        "<|im_start|>user\nAnd its colour?<|im_end|>\n<|im_start|>assistant\n"
    )
    one = prompt(template, Question("What moves?", system="Be brief."))
    assert "Be brief.\nWhat moves?" in one
    assert prompt(None, CHAT, SMOLVLM) == (
        "<|im_start|>System: Be brief.<end_of_utterance>\nUser: {clip}What moves?<end_of_utterance>\n"
        "Assistant: A disc.<end_of_utterance>\nUser: And its colour?<end_of_utterance>\nAssistant:"
    )


@pytest.mark.parametrize(
    "earlier", [[ChatTurn("user", "Hello.")], [ChatTurn("user", "Hi."), ChatTurn("assistant", "Yes?")]]
)
def test_turns_in_an_order_that_no_form_has_are_refused(earlier: list[ChatTurn]) -> None:
    with pytest.raises(Invalid, match="questions and answers in turn") as refused:
        prompt(None, Question("And its colour?", earlier=earlier))
    assert refused.value.field == "messages"


def test_the_runs_question_is_asked_where_nobody_asks() -> None:
    chat = chat_of_question(Question(), "What colour is it?", "Be brief.")
    assert (chat.turns[-1].text, chat.turns[-1].shows_clip, chat.system) == ("What colour is it?", True, "Be brief.")
    assert chat_of_question(Question()).turns[-1].text == CAPTION_QUESTION
    own = chat_of_question(Question(" Where? ", system="Say more."), "What colour is it?", "Be brief.")
    assert (own.turns[-1].text, own.system) == ("Where?", "Say more.")


def test_an_answer_of_idefics_ends_as_the_model_was_trained() -> None:
    """Instruct models end an answer with a token of their own, which the tokenizers of the others do not have."""
    assert ChatFormat(tokenizer(), IDEFICS.architecture).end_token == "<end_of_utterance>"
    without = tuple(word for word in SPECIAL if word != "<end_of_utterance>")
    assert ChatFormat(tokenizer(without), IDEFICS.architecture).end_token == "</s>"
