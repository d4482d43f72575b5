"""Says an answer piece by piece while it is written, so that whoever asked sees the first word at once."""

from collections.abc import Callable
from typing import Any

from transformers.generation.streamers import BaseStreamer


class TokenStreamer(BaseStreamer):
    """Handed to `generate` as its streamer; only for one clip at a time."""

    def __init__(self, tokenizer: Any, on_token: Callable[[str], None], skip_prompt: bool = False) -> None:
        """`skip_prompt`: the first ids are the question's, which nobody wants to hear again."""
        self._tokenizer, self._hear, self._skip = tokenizer, on_token, skip_prompt
        self._ids: list[int] = []
        self._said = ""

    def put(self, value: Any) -> None:
        """The next ids."""
        if self._skip:
            self._skip = False
            return
        self._ids += value.reshape(-1).tolist()
        text = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        # A character of several tokens shows itself only with its last one.
        if text.startswith(self._said) and not text.endswith("\ufffd"):
            self._tell(text)

    def end(self) -> None:
        """No more will come."""
        self._tell(self._tokenizer.decode(self._ids, skip_special_tokens=True))

    def _tell(self, text: str) -> None:
        if len(text) > len(self._said):
            self._hear(text[len(self._said) :])
            self._said = text
