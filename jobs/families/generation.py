"""Generates answers as a chat's client asks for them: length, stop sequences, sampling, and why each answer ended."""

import secrets
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from transformers.generation.stopping_criteria import StoppingCriteria, StoppingCriteriaList

from jobs.families.protocol import Answer, FinishReason, Plan, Question

GREEDY_BELOW = 0.01
"""A temperature below this takes the likeliest token each time: dividing logits by it would overflow."""


class AnswerText:
    """The text of one answer while its tokens arrive.

    Each piece is passed on as soon as nothing that follows can change it: a character of several tokens waits for the
    last of them, and what may be the beginning of a stop sequence waits until it is none. White space around the
    answer is left out. The pieces together are the answer's text.
    """

    def __init__(
        self,
        tokenizer: Any,
        end_ids: Collection[int],
        stop: Sequence[str] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> None:
        """`end_ids`: the tokens that end an answer. `stop`: texts that end it and are no part of it."""
        self._tokenizer, self._end_ids, self._stop, self._on_text = tokenizer, end_ids, stop, on_text
        self.ids: list[int] = []
        """The generated tokens with the end token."""
        self.text = ""
        self.finish_reason: FinishReason | None = None

    def feed(self, ids: Sequence[int]) -> None:
        """Takes the next tokens; those behind the answer's end are padding."""
        for token in ids:
            if self.finish_reason is not None:
                return
            self.ids.append(token)
            text = self._decoded()
            stop_at = min((at for at in map(text.find, self._stop) if at >= 0), default=-1)
            if stop_at >= 0 or token in self._end_ids:
                self._end("stop", text[:stop_at] if stop_at >= 0 else text)
            else:
                self._send(text[: len(text) - self._unsettled(text)].rstrip("\ufffd").rstrip())

    def finish(self) -> None:
        """No more tokens come: an answer without an end token or stop sequence was truncated."""
        if self.finish_reason is None:
            self._end("length", self._decoded().rstrip("\ufffd"))

    def _decoded(self) -> str:
        return self._tokenizer.decode(self.ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _unsettled(self, text: str) -> int:
        """How many characters at the end of the text may be the beginning of a stop sequence."""
        lengths = (
            length
            for stop in self._stop
            for length in range(min(len(stop) - 1, len(text)), 0, -1)
            if text.endswith(stop[:length])
        )
        return max(lengths, default=0)

    def _end(self, reason: FinishReason, text: str) -> None:
        self.finish_reason = reason
        self._send(text.rstrip())

    def _send(self, text: str) -> None:
        text = text.lstrip()
        if len(text) > len(self.text) and text.startswith(self.text):
            piece, self.text = text[len(self.text) :], text
            if self._on_text is not None:
                self._on_text(piece)


class Abandoned(Exception):
    """The client does not wait for this answer any more."""


class _StopCheck(StoppingCriteria):
    """Calls `check_stop` after each token; what it raises ends the generation."""

    def __init__(self, check_stop: Callable[[], None]) -> None:
        self._check_stop = check_stop

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._check_stop()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def stop_criteria(plan: Plan) -> StoppingCriteriaList:
    """For `generate` in an evaluation: it ends as soon as the run is asked to stop."""
    return StoppingCriteriaList([_StopCheck(plan.check_stop)])


class _AnswersEnd(StoppingCriteria):
    """Passes new tokens on to the answers, and stops each of them at its end."""

    def __init__(self, answers: Sequence[AnswerText], prompt_length: int, is_abandoned: Callable[[], bool]) -> None:
        self._answers, self._seen, self._is_abandoned = answers, prompt_length, is_abandoned

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self._is_abandoned():
            raise Abandoned
        for answer, row in zip(self._answers, input_ids[:, self._seen :].tolist(), strict=True):
            answer.feed(row)
        self._seen = input_ids.shape[1]
        ended = [answer.finish_reason is not None for answer in self._answers]
        return torch.tensor(ended, dtype=torch.bool, device=input_ids.device)


def generate_answers(
    model: Any,
    inputs: dict[str, Any],
    question: Question,
    tokenizer: Any,
    end_ids: Collection[int],
    prompt_tokens: Sequence[int],
    prompt_length: int,
    max_new_tokens: int,
    **options: Any,
) -> list[Answer]:
    """One answer for each clip of `inputs`, as the question wants it.

    Args:
        prompt_tokens: the tokens that the model reads of each clip and its question.
        prompt_length: the length of the sequence before the first generated token, with padding.
        max_new_tokens: the question's own limit, or less where the model has no room for it.
        options: more arguments of `generate`.

    Raises:
        Abandoned: `question.is_abandoned` returned True.
    """
    on_text = question.on_token if len(prompt_tokens) == 1 else None
    answers = [AnswerText(tokenizer, end_ids, question.stop, on_text) for _ in prompt_tokens]
    criteria = StoppingCriteriaList([_AnswersEnd(answers, prompt_length, question.is_abandoned)])
    with torch.random.fork_rng(devices=_cuda_devices(model)):
        torch.manual_seed(secrets.randbits(63) if question.seed is None else question.seed % 2**63)
        model.generate(
            **inputs,
            **_sampling(question),
            **options,
            num_beams=1,
            max_new_tokens=max_new_tokens,
            stopping_criteria=criteria,
        )
    for answer in answers:
        answer.finish()
    return [
        Answer(
            answer.text,
            finish_reason=answer.finish_reason,
            prompt_tokens=prompt,
            completion_tokens=len(answer.ids),
        )
        for answer, prompt in zip(answers, prompt_tokens, strict=True)
    ]


def _sampling(question: Question) -> dict[str, Any]:
    """Arguments of `generate`: greedy search, or nucleus sampling (Holtzman et al. 2020) at a temperature."""
    if question.temperature < GREEDY_BELOW or question.top_p <= 0:
        return {"do_sample": False}
    return {"do_sample": True, "temperature": question.temperature, "top_p": question.top_p, "top_k": 0}


def _cuda_devices(model: Any) -> list[torch.device]:
    device = torch.device(getattr(model, "device", "cpu"))
    return [device] if device.type == "cuda" else []
