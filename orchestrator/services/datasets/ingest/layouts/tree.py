"""The files of an upload for layouts: their names, the content of annotation files, and a search for clips by name."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from orchestrator.services.datasets.files import ending_of, holds_video, is_film
from orchestrator.services.datasets.ingest.layouts.columns import parquet_rows, xlsx_rows
from orchestrator.services.datasets.ingest.layouts.frame_folders import FrameFolders
from orchestrator.services.datasets.ingest.layouts.json_records import looks_like_json, read_records
from orchestrator.services.datasets.ingest.layouts.json_text import JsonText
from orchestrator.services.datasets.ingest.layouts.matching import ClipIndex
from orchestrator.services.datasets.ingest.layouts.rows import ReadKeys, Row, Rows, peek
from orchestrator.services.datasets.ingest.layouts.tables import header_of, read_table

MAX_TEXT_BYTES = 256 * 2**20
TEXT_ENDINGS = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".lst", ".parquet", ".xlsx", ".xml"})
JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
LIST_ENDINGS = (".txt", ".lst", ".csv", ".tsv")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a text in UTF-16 begins."""
_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
TABLE_ENDINGS = (*JSON_ENDINGS, ".csv", ".tsv", ".parquet", ".xlsx")


class Unreadable(Exception):
    """An annotation file that cannot be read; the message is a sentence for the user."""


class Tree:
    """The files of an upload by their path inside it, with forward slashes; no file outside of `root` is opened."""

    def __init__(self, root: Path, names: Iterable[str], frames: FrameFolders | None = None) -> None:
        """
        Args:
            names: the files below `root`; those of frame folders are replaced by their films.
            frames: the frame folders, where they were looked for.
        """
        self._root = root
        self.frames = frames or FrameFolders()
        self.names = sorted(self.frames.names_with_films(names))
        self.videos = [name for name in self.names if is_film(f"{root}/{name}")]
        self.problems: list[str] = []
        """Sentences about annotation files that could not be used."""
        self.guessed_encodings: list[str] = []
        """Text files that say nothing of their encoding, and are not UTF-8."""
        self._by_ending: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            self._by_ending[ending_of(name)].append(name)
        self._contents: dict[str, Rows] = {}
        self._read_keys: dict[str, set[str]] = defaultdict(set)
        """The keys of each file's records that the present layout has read."""
        self._objects: dict[str, tuple[Row, set[str]]] = {}
        """The JSON objects that the present layout has taken as a whole, and the keys that it has read of each."""

    def texts(self, *endings: str) -> list[str]:
        """The files with one of these endings, sorted."""
        return sorted(name for ending in set(endings) for name in self._by_ending.get(ending, []))

    def lists(self) -> list[str]:
        """The text files that may describe several clips: not those with the name of a clip, sorted."""
        return [name for name in self.texts(*LIST_ENDINGS) if name.rpartition(".")[0] not in self.stems]

    def json_files(self) -> list[str]:
        """The files with records in JSON, sorted: JSON and JSON lines, and lists of another ending that hold JSON."""
        return sorted([*self.texts(*JSON_ENDINGS), *(name for name in self.lists() if self._begins_like_json(name))])

    def _begins_like_json(self, name: str) -> bool:
        with (self._root / name).open("rb") as file:
            head = file.read(64)
        return looks_like_json(head.decode("utf-16" if head[:2] in _UTF_16 else "utf-8-sig", "replace"))

    @cached_property
    def stems(self) -> set[str]:
        """The paths of the videos without their endings."""
        return {name.rpartition(".")[0] for name in self.videos}

    def header(self, name: str) -> list[str]:
        """The columns of a table with a header; [] for other files."""
        try:
            return header_of(self.text(name)) if name.rpartition(".")[0] not in self.stems else []
        except Unreadable:
            return []

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
        if data[:4] in _UTF_32:
            return data.decode("utf-32", "replace")
        if data[:2] in _UTF_16:
            return data.decode("utf-16", "replace")
        if b"\0" in data[:4096]:
            if holds_video(path):
                raise Unreadable(f"{short} holds a film and no text. Give it the ending of a film, such as .mp4.")
            raise Unreadable(f"{short} is not text. Save it as UTF-8.")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            if name not in self.guessed_encodings:
                self.guessed_encodings.append(name)
            return data.decode("cp1252", "replace")

    def readable_text(self, name: str) -> str:
        """The text of a file; "" when it cannot be read, with an entry in `problems`."""
        try:
            return self.text(name)
        except Unreadable as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))
            return ""

    def json_object(self, name: str) -> Row | None:
        """The object that a JSON file holds; None for a list, for records of lines, and for a damaged file."""
        try:
            if self.text(name).lstrip()[:1] != "{":
                return None
        except Unreadable:
            return None
        value = self.json(name)
        return value if isinstance(value, dict) else None

    def rows(self, name: str) -> list[Row]:
        """The records of a JSON list, JSON lines, Parquet or a table with a header; [] for other files."""
        return self.content(name).rows

    def content(self, name: str) -> Rows:
        """The records of a file with their places in it."""
        if name not in self._contents:
            content = self._contents[name] = self._read_rows(name)
            read = self._read_keys[name]
            for number, row in enumerate(content.rows):  # in place: both lists at once would take twice the memory
                content.rows[number] = ReadKeys(row, read)
            self.problems += content.problems
        return self._contents[name]

    def notes(self, name: str) -> list[str]:
        """Sentences about values of a table that was read, such as cells without a number."""
        return self._contents[name].notes if name in self._contents else []

    def forget_read_keys(self) -> None:
        """Before another layout is tried: it may read other keys."""
        self._objects.clear()
        for read in self._read_keys.values():
            read.clear()

    def unread_keys(self, name: str) -> Row:
        """The keys of a file's records that have values and were not read, each with its first value."""
        unread: Row = {}
        taken, read_of_object = self._objects.get(name, ({}, set()))
        records = [(taken, read_of_object)] if read_of_object else []
        if read := self._read_keys[name]:
            records += [(row, read) for row in self.content(name).rows]
        for record, read in records:
            for key in record:
                if key and key not in read and key not in unread:
                    value = peek(record, key)
                    if value not in (None, "", [], {}):
                        unread[key] = value
        return unread

    def json(self, name: str) -> Any:
        """The value of a JSON file; None when it is damaged, with an entry in `problems`."""
        short = PurePosixPath(name).name
        try:
            parser = JsonText()
            value = parser.parse(self.text(name))
            self.problems += parser.notes(short)
            if isinstance(value, dict):
                read: set[str] = set()
                value = ReadKeys(value, read)
                self._objects[name] = (value, read)
            return value
        except Unreadable as error:
            self.problems.append(str(error))
        except RecursionError:
            self.problems.append(f"{short} is nested too deeply to be read.")
        except ValueError as error:
            line = getattr(error, "lineno", 0)
            self.problems.append(f"{short} is not valid JSON{f' (line {line})' if line else ''}. Correct it there.")
        return None

    def _read_rows(self, name: str) -> Rows:
        """The rows of a file, by its content: JSON may stand in a file of any ending."""
        if ending_of(name) == ".parquet":
            return self._parquet(name)
        if ending_of(name) == ".xlsx":
            return self._workbook(name)
        short = PurePosixPath(name).name
        try:
            text = self.text(name)
            if ending_of(name) in JSON_ENDINGS or looks_like_json(text):
                return read_records(text, short, ending_of(name) != ".json", self._is_clip)
            return read_table(text, short)
        except Unreadable as error:
            return Rows(problems=[str(error)])
        except csv.Error:
            return Rows(problems=[f"{short} is no table with a line for each clip. Save it as CSV again."])

    def _parquet(self, name: str) -> Rows:
        short = PurePosixPath(name).name
        try:
            rows = parquet_rows(self._root / name, MAX_TEXT_BYTES)
        except OverflowError:
            too_large = f"{short} says more than {MAX_TEXT_BYTES // 2**20} MB. Describe the clips in smaller files."
            return Rows(problems=[too_large])
        if rows is None:
            return Rows(problems=[f"{short} is no Parquet table that can be read. Save it again, or as CSV."])
        return Rows(rows, list(range(1, len(rows) + 1)), "row")

    def _workbook(self, name: str) -> Rows:
        short = PurePosixPath(name).name
        try:
            read = xlsx_rows(self._root / name, MAX_TEXT_BYTES)
        except OverflowError:
            too_large = f"{short} says more than {MAX_TEXT_BYTES // 2**20} MB. Describe the clips in smaller files."
            return Rows(problems=[too_large])
        if read is None:
            return Rows(problems=[f"{short} is no workbook that can be read. Save it as .xlsx again, or as CSV."])
        rows, notes = read
        content = Rows([row for _, _, row in rows], [number for _, number, _ in rows], "row")
        content.problems = [f"{short}: {note}." for note in notes]
        sheets = list(dict.fromkeys(sheet for sheet, _, _ in rows))
        if len(sheets) > 1:
            content.numbers = list(range(1, len(rows) + 1))
            content.problems.append(f"{short} has {len(sheets):,} sheets, which are read one after the other.")
        return content

    def _is_clip(self, key: str) -> bool:
        return bool(self.index.named(key.replace("\\", "/").rpartition("/")[2]))

    @cached_property
    def index(self) -> ClipIndex:
        """The videos for searches by name."""
        return ClipIndex(self.videos, self.frames.films)
