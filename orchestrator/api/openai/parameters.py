"""The body of a chat completion: what is read, what changes no answer, and what is refused because it would."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator.api.openai.messages import Message
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False, 0),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "verbosity": ("medium",),
    "audio": (),
    "web_search_options": (),
}
"""Parameters that would change the answer, with the values that change nothing; null is always one of them."""
_WITHOUT_EFFECT = frozenset(
    [
        "metadata",
        "moderation",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    ]
)
"""Parameters about billing, storage, speed and hidden reasoning: an answer from here is the same without them."""
_INSTEAD = {
    "n": "There is one answer to a question: leave n out, or send 1.",
    "response_format": "Answers are plain text: leave response_format out.",
    "tools": "Models here call no tools: leave tools out.",
    "functions": "Models here call no functions: leave functions out.",
    "modalities": 'Answers are text: leave modalities out, or send ["text"].',
}


class StreamOptions(BaseModel):
    """Options of a streamed answer."""

    model_config = ConfigDict(extra="ignore")  # include_obfuscation pads events, which changes no answer
    include_usage: bool | None = None


class ChatBody(BaseModel):
    """The body of a chat completion."""

    model_config = ConfigDict(extra="allow")
    model: str = Field(max_length=200)
    messages: list[Message] = Field(min_length=1, max_length=64)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    stop: str | list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)

    @model_validator(mode="after")
    def _refuse_what_is_not_read(self) -> Self:
        for name, value in (self.__pydantic_extra__ or {}).items():
            if name in _WITHOUT_EFFECT or value is None:
                continue
            if name not in _NEUTRAL:
                raise Invalid(f"{name[:80]} is not a parameter of this address. Leave it out.", name[:80])
            if not any(value == neutral and type(value) in _like(neutral) for neutral in _NEUTRAL[name]):
                raise Invalid(_INSTEAD.get(name, f"{name} cannot be followed here. Leave it out."), name)
        return self

    def answer_tokens(self) -> int:
        """The most tokens that the answer may have.

        Many clients ask for thousands. It is an upper limit, so that the smallest one meets the request too.
        """
        given = [limit for limit in (self.max_completion_tokens, self.max_tokens) if limit is not None]
        return min([*given, MAX_ANSWER_TOKENS]) if given else DEFAULT_ANSWER_TOKENS

    def stop_sequences(self) -> tuple[str, ...]:
        """The texts that end the answer."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    def sampling_temperature(self) -> float:
        """0 takes the likeliest token each time; who gives `top_p` alone asks for sampling, at OpenAI's usual 1."""
        if self.temperature is not None:
            return self.temperature
        return 0.0 if self.top_p is None or self.top_p == 1 else 1.0

    def includes_usage(self) -> bool:
        """Whether a stream ends with the token counts."""
        return bool(self.stream_options and self.stream_options.include_usage)


def _like(neutral: Any) -> tuple[type, ...]:
    """The types in which a client may write a value: JSON has one kind of number, and true is no number."""
    return (int, float) if isinstance(neutral, int) and not isinstance(neutral, bool) else (type(neutral),)
