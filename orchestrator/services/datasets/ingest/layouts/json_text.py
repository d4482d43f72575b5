"""Parses the JSON of annotation files, and notes the keys that an object has twice."""

import json
from typing import Any


class JsonText:
    """Parses JSON texts of one file. Of a key that an object has twice, with other values, only the last one counts."""

    def __init__(self) -> None:
        self._repeated: list[str] = []

    def parse(self, text: str) -> Any:
        """The value of a text.

        Raises:
            ValueError: it is no JSON. RecursionError: it is nested too deeply.
        """
        return json.loads(text, object_pairs_hook=self._object)

    def decoder(self) -> json.JSONDecoder:
        """A decoder for values that follow each other."""
        return json.JSONDecoder(object_pairs_hook=self._object)

    def notes(self, name: str) -> list[str]:
        """The sentence about repeated keys; `name`: the file's name."""
        if not self._repeated:
            return []
        times = "1 key" if len(self._repeated) == 1 else f"{len(self._repeated):,} keys"
        return [
            f"{name} gives {times} twice in one object, with other values: the last one is used "
            f"(the first is {self._repeated[0][:80]})."
        ]

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            first: dict[str, Any] = {}
            for key, value in pairs:
                if first.setdefault(key, value) != value:
                    self._repeated.append(key)
        return found
