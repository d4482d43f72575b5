"""Collects what a describing file says clip by clip: finds each file, counts what is missing or said twice."""

from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import (
    CAPTION_LIMIT,
    LABEL_LIMIT,
    PROMPT_LIMIT,
    Entry,
    Understood,
)
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.text_repair import as_seen

SHOWN = 20
"""Missing clips listed by name; the rest are counted."""


class Gathering:
    """The entries of one layout while it is being read."""

    def __init__(self, tree: Tree, key: str, title: str) -> None:
        self._tree, self._key, self._title = tree, key, title
        self._entries: dict[str, Entry] = {}
        self._missing: list[str] = []
        self._again = 0
        self.files: list[str] = []

    def add(
        self,
        said: Any,
        file: str,
        label: Any = "",
        caption: Any = "",
        prompt: Any = "",
        split: Split = Split.AUTO,
    ) -> bool:
        """Notes one clip that `file` describes; False when it was not uploaded."""
        name = self._tree.find(said, file)
        if name is None:
            self._missing.append(plain(said, 200))
            return False
        if name in self._entries:
            self._again += 1
            return True
        self._entries[name] = Entry(
            name, plain(label, LABEL_LIMIT), plain(caption, CAPTION_LIMIT), plain(prompt, PROMPT_LIMIT), split
        )
        return True

    def read(self, file: str) -> None:
        """Notes that `file` describes others and is no clip."""
        if file not in self.files:
            self.files.append(file)

    def done(self, columns: dict[str, str] | None = None, notes: list[str] | None = None) -> Understood | None:
        """What was understood; None, with a complaint, when not one of the named clips is there."""
        named = " and ".join(PurePosixPath(file).name for file in self.files[:2]) or "The list"
        if not self._entries:
            if self._missing:
                self._tree.complaints.append(
                    f"{named} names {len(self._missing):,} clips, but none of them was uploaded "
                    f"(the first is {self._missing[0]}). Upload the videos together with it."
                )
            return None
        said = list(notes or [])
        if self._again:
            lines = "1 further line names" if self._again == 1 else f"{self._again:,} further lines name"
            said.append(f"{lines} a clip again; what was said first holds.")
        if self._missing:
            clips = "1 clip is" if len(self._missing) == 1 else f"{len(self._missing):,} clips are"
            shown = ", ".join(self._missing[:3]) + (", …" if len(self._missing) > 3 else "")
            said.append(f"{clips} named in {named} but not uploaded: {shown}")
        entries = list(self._entries.values())
        entries += [
            Entry(name, problem=f"{PurePosixPath(name).name} is not named in {named}.")
            for name in self._tree.videos
            if name not in self._entries
        ]
        entries += [
            Entry(name, problem=f"{PurePosixPath(name).name or 'A clip'} is named in {named} but was not uploaded.")
            for name in dict.fromkeys(self._missing[:SHOWN])
        ]
        return Understood(self._key, self._title, entries, self.files, columns or {}, said)


def plain(value: Any, limit: int) -> str:
    """A value as text that can be shown and learnt from: no control or direction marks, not longer than `limit`."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return as_seen(str(value)).strip()[:limit]
