"""Passes an answer on piece by piece while it is generated, so that its first word can be shown at once."""

from collections.abc import Callable
from typing import Any

from transformers.generation.streamers import BaseStreamer


class TokenStreamer(BaseStreamer):
    """The `streamer` of `generate`, for one clip at a time."""

    def __init__(self, tokenizer: Any, on_token: Callable[[str], None], skip_prompt: bool = False) -> None:
        """`skip_prompt`: `generate` passes the prompt's ids first, and they are not part of the answer."""
        self._tokenizer, self._on_token, self._skip = tokenizer, on_token, skip_prompt
        self._ids: list[int] = []
        self._sent = ""

    def put(self, value: Any) -> None:
        """Takes the next ids."""
        if self._skip:
            self._skip = False
            return
        self._ids += value.reshape(-1).tolist()
        text = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        # A character made of several tokens is complete only with the last of them.
        if text.startswith(self._sent) and not text.endswith("\ufffd"):
            self._send(text)

    def end(self) -> None:
        """Sends what is left."""
        self._send(self._tokenizer.decode(self._ids, skip_special_tokens=True))

    def _send(self, text: str) -> None:
        if len(text) > len(self._sent):
            self._on_token(text[len(self._sent) :])
            self._sent = text
