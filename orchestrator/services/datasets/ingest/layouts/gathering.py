"""Collects the entries of annotation files: finds each clip's file, and counts missing and repeated clips."""

from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import (
    CAPTION_LIMIT,
    LABEL_LIMIT,
    PROMPT_LIMIT,
    DetectedLayout,
    Entry,
)
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.text_repair import normalize_text

MAX_MISSING_LISTED = 20
"""How many missing clips are listed by name; the others are counted."""


class EntryCollector:
    """The entries of one layout while its annotation files are read."""

    def __init__(self, tree: Tree, key: str, title: str) -> None:
        self._tree, self._key, self._title = tree, key, title
        self._entries: dict[str, Entry] = {}
        self._missing: list[str] = []
        self._repeated = 0
        self.files: list[str] = []

    def add(
        self,
        stated: Any,
        file: str,
        label: Any = "",
        caption: Any = "",
        prompt: Any = "",
        split: Split = Split.AUTO,
    ) -> bool:
        """Adds one clip that an annotation file describes.

        Args:
            stated: the clip's name in the file.
            file: the annotation file.

        Returns:
            False when the clip was not uploaded.
        """
        name = self._tree.find(stated, file)
        if name is None:
            self._missing.append(plain(stated, 200))
            return False
        if name in self._entries:
            self._repeated += 1
            return True
        self._entries[name] = Entry(
            name, plain(label, LABEL_LIMIT), plain(caption, CAPTION_LIMIT), plain(prompt, PROMPT_LIMIT), split
        )
        return True

    def add_source(self, file: str) -> None:
        """Records that `file` is an annotation file and no clip."""
        if file not in self.files:
            self.files.append(file)

    def done(self, columns: dict[str, str] | None = None, notes: list[str] | None = None) -> DetectedLayout | None:
        """The layout; None, with a problem in the tree, when none of the named clips was uploaded."""
        named = " and ".join(PurePosixPath(file).name for file in self.files[:2]) or "The list"
        if not self._entries:
            if self._missing:
                self._tree.problems.append(
                    f"{named} names {len(self._missing):,} clips, but none of them was uploaded "
                    f"(the first is {self._missing[0]}). Upload the videos together with it."
                )
            return None
        all_notes = list(notes or [])
        if self._repeated:
            lines = "1 further line names" if self._repeated == 1 else f"{self._repeated:,} further lines name"
            all_notes.append(f"{lines} a clip again; the first one is used.")
        if self._missing:
            clips = "1 clip is" if len(self._missing) == 1 else f"{len(self._missing):,} clips are"
            shown = ", ".join(self._missing[:3]) + (", …" if len(self._missing) > 3 else "")
            all_notes.append(f"{clips} named in {named} but not uploaded: {shown}")
        entries = list(self._entries.values())
        entries += [
            Entry(name, problem=f"{PurePosixPath(name).name} is not named in {named}.")
            for name in self._tree.videos
            if name not in self._entries
        ]
        entries += [
            Entry(name, problem=f"{PurePosixPath(name).name or 'A clip'} is named in {named} but was not uploaded.")
            for name in dict.fromkeys(self._missing[:MAX_MISSING_LISTED])
        ]
        return DetectedLayout(self._key, self._title, entries, self.files, columns or {}, all_notes)


def plain(value: Any, limit: int) -> str:
    """A value as normalized text without control and direction marks, not longer than `limit` characters."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalize_text(str(value)).strip()[:limit]
