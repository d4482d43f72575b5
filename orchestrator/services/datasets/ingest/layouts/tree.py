"""The files of an upload for layouts: their names, the content of annotation files, and a search for clips by name."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from orchestrator.services.datasets.files import VIDEO_ENDINGS
from orchestrator.services.datasets.formula_cells import unescape_formula
from orchestrator.services.datasets.ingest.layouts.columns import parquet_rows
from orchestrator.services.datasets.ingest.layouts.matching import ClipIndex

MAX_TEXT_BYTES = 256 * 2**20
TEXT_ENDINGS = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".lst", ".parquet"})
TABLE_ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
Row = dict[str, Any]


class Unreadable(Exception):
    """An annotation file that cannot be read; the message is a sentence for the user."""


class Tree:
    """The files of an upload by their path inside it, with forward slashes; no file outside of `root` is opened."""

    def __init__(self, root: Path, names: Iterable[str]) -> None:
        self._root = root
        self.names = sorted(names)
        self.videos = [name for name in self.names if is_video(name)]
        self.problems: list[str] = []
        """Sentences about annotation files that could not be used."""
        self.guessed_encodings: list[str] = []
        """Text files that say nothing of their encoding, and are not UTF-8."""
        self._by_ending: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            self._by_ending[_ending(name)].append(name)
        self._rows: dict[str, list[Row] | None] = {}

    def texts(self, *endings: str) -> list[str]:
        """The files with one of these endings, sorted."""
        return sorted(name for ending in set(endings) for name in self._by_ending.get(ending, []))

    def text(self, name: str) -> str:
        """The text of a file, with its encoding detected.

        Raises:
            Unreadable: it is too large, or no text.
        """
        path, short = self._root / name, PurePosixPath(name).name
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise Unreadable(
                f"{short} is larger than {MAX_TEXT_BYTES // 2**20} MB. Describe the clips in smaller files."
            )
        data = path.read_bytes()
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16", "replace")
        if b"\0" in data[:4096]:
            raise Unreadable(f"{short} is not text. Save it as UTF-8.")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            if name not in self.guessed_encodings:
                self.guessed_encodings.append(name)
            return data.decode("cp1252", "replace")

    def rows(self, name: str) -> list[Row]:
        """The records of a JSON list, JSON lines, Parquet or a table with a header; [] for other files."""
        if name not in self._rows:
            self._rows[name] = self._read_rows(name)
        return self._rows[name] or []

    def json(self, name: str) -> Any:
        """The value of a JSON file; None when it is damaged, with an entry in `problems`."""
        short = PurePosixPath(name).name
        try:
            return json.loads(self.text(name))
        except Unreadable as error:
            self.problems.append(str(error))
        except RecursionError:
            self.problems.append(f"{short} is nested too deeply to be read.")
        except ValueError as error:
            line = getattr(error, "lineno", 0)
            self.problems.append(f"{short} is not valid JSON{f' (line {line})' if line else ''}. Correct it there.")
        return None

    def _read_rows(self, name: str) -> list[Row]:
        ending = PurePosixPath(name).suffix.lower()
        if ending == ".json":
            value = self.json(name)
            return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        if ending == ".parquet":
            return self._parquet(name)
        try:
            text = self.text(name)
            return self._lines(name, text) if ending in (".jsonl", ".ndjson") else _table(text)
        except Unreadable as error:
            self.problems.append(str(error))
        except csv.Error:
            self.problems.append(
                f"{PurePosixPath(name).name} is no table with a line for each clip. Save it as CSV again."
            )
        return []

    def _parquet(self, name: str) -> list[Row]:
        short = PurePosixPath(name).name
        try:
            rows = parquet_rows(self._root / name, MAX_TEXT_BYTES)
        except OverflowError:
            self.problems.append(
                f"{short} says more than {MAX_TEXT_BYTES // 2**20} MB. Describe the clips in smaller files."
            )
            return []
        if rows is None:
            self.problems.append(f"{short} is no Parquet table that can be read. Save it again, or as CSV.")
        return rows or []

    def _lines(self, name: str, text: str) -> list[Row]:
        rows, broken = [], 0
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                broken = broken or number
                continue
            if isinstance(value, dict):
                rows.append(value)
        if broken:
            self.problems.append(f"{PurePosixPath(name).name} is not valid JSON in line {broken}. Correct it there.")
        return rows

    @cached_property
    def index(self) -> ClipIndex:
        """The videos for searches by name."""
        return ClipIndex(self.videos)


def is_video(name: str) -> bool:
    """Whether the name has the ending of a video; its content is checked by the probe."""
    return _ending(name) in VIDEO_ENDINGS


def _ending(name: str) -> str:
    """Like `PurePosixPath.suffix`, but ten times faster: an upload may have 100,000 names."""
    last = name.rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    return f".{ending.lower()}" if dot and ending and stem.strip(".") else ""


def _table(text: str) -> list[Row]:
    """The rows of a table with a header; its separator is the most frequent one of the first line."""
    csv.field_size_limit(2**20)
    head = text.lstrip("\n\r").partition("\n")[0]
    separator = max(",;\t|", key=head.count)
    if not head.count(separator):
        return []
    reader = csv.DictReader(text.lstrip("\n\r").splitlines(keepends=True), delimiter=separator, restkey="")
    reader.fieldnames = [str(name).strip() for name in reader.fieldnames or []]
    rows = [row for row in reader if any(row.values())]
    return [{name: unescape_formula(v) if isinstance(v, str) else v for name, v in row.items()} for row in rows]
