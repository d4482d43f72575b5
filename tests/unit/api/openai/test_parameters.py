"""Each parameter of a chat is read, without effect, or refused: none that changes an answer is dropped."""

from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.api.openai.parameters import ChatBody
from orchestrator.domain.errors import Invalid

MESSAGES = [{"role": "user", "content": "?"}]


def body(**given: Any) -> ChatBody:
    return ChatBody.model_validate({"model": "m", "messages": MESSAGES, **given})


@pytest.mark.parametrize(
    "given",
    [
        {"n": 2},
        {"n": True},
        {"logprobs": True},
        {"logit_bias": {"5": 1}},
        {"frequency_penalty": 0.5},
        {"presence_penalty": -1},
        {"tools": [{"type": "function"}]},
        {"tool_choice": "required"},
        {"response_format": {"type": "json_object"}},
        {"modalities": ["text", "audio"]},
        {"audio": {"voice": "x"}},
        {"top_k": 5},
        {"guided_json": {}},
        {"made_up": 1},
    ],
)
def test_what_would_change_the_answer_is_refused_by_name(given: dict[str, Any]) -> None:
    [name] = given
    with pytest.raises(Invalid) as refused:
        body(**given)
    assert refused.value.field == name
    assert name in refused.value.message


def test_neutral_values_and_what_has_no_effect_are_taken() -> None:
    neutral = {
        "n": 1,
        "logprobs": False,
        "logit_bias": {},
        "frequency_penalty": 0.0,
        "presence_penalty": 0,
        "tools": [],
    }
    neutral |= {"tool_choice": "auto", "response_format": {"type": "text"}, "modalities": ["text"], "top_k": -1}
    neutral |= {"user": "u", "metadata": {"a": "b"}, "store": False, "seed": None, "audio": None, "stop": None}
    neutral |= {"stream": None, "reasoning_effort": "low", "parallel_tool_calls": False, "best_of": 1}
    assert body(**neutral).stop_sequences() == ()


@pytest.mark.parametrize(
    "given",
    [{"max_tokens": 0}, {"max_completion_tokens": -1}, {"temperature": 2.5}, {"top_p": 1.5}, {"seed": 2**64}],
)
def test_values_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        body(**given)


def test_limits_and_stop_sequences() -> None:
    assert body().answer_tokens() == 64
    assert body(max_tokens=4_096).answer_tokens() == 512
    assert body(max_tokens=5, max_completion_tokens=9).answer_tokens() == 5
    assert body(stop="END").stop_sequences() == ("END",)
    assert body(stop=["a", "b"]).stop_sequences() == ("a", "b")
    assert body(stream_options={"include_usage": True, "include_obfuscation": False}).includes_usage()


@pytest.mark.parametrize(
    ("given", "temperature"), [({}, 0.0), ({"top_p": 0.5}, 1.0), ({"top_p": 1}, 0.0), ({"temperature": 0}, 0.0)]
)
def test_top_p_alone_asks_for_sampling(given: dict[str, Any], temperature: float) -> None:
    assert body(**given).sampling_temperature() == temperature
