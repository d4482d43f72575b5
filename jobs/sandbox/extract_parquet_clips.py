"""`python -m jobs.sandbox.extract_parquet_clips FILE FOLDER MOST`: writes the clips inside a Parquet file out as files.

Hugging Face's `datasets` keeps a clip as a column of {bytes, path}. Read a few rows at a time, in a process with
limits: strangers bring these files, and their reader is C++.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.sandbox import limits
from jobs.sandbox.read_parquet import plain

MEMORY_BYTES = 6 * 2**30
CPU_S = 3_600
FILE_BYTES = 4 * 2**30
MOST_FILES = 100_000
TOO_LARGE, NO_FILMS, TOO_MANY = 3, 4, 5
_AT_ONCE, _BUFFER = 4, 2**20
"""Rows, and bytes of a column: a group of rows may hold gigabytes of clips."""
_STARTS = {
    b"\x1a\x45\xdf\xa3": ".mkv",
    b"FLV": ".flv",
    b"GIF8": ".gif",
    b"\0\0\1\xba": ".mpg",
    b"\x30\x26\xb2\x75": ".wmv",
}
_SPLIT = re.compile(r"(train|validation|valid|val|dev|test)(?![a-z])", re.IGNORECASE)
_MP4 = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


class _Over(Exception):
    """Of which only the code counts."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def main() -> int:
    """FOLDER/clips.jsonl says all columns, the clip's as the name of its file beside it."""
    path, folder, most = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=min(most, FILE_BYTES))
    import pyarrow
    import pyarrow.parquet as parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    with parquet.ParquetFile(path, memory_map=False, buffer_size=_BUFFER) as table:
        column = next((field.name for field in table.schema_arrow if _holds_films(table, field)), "")
        if not column:
            return NO_FILMS
        try:
            _write(_rows(table), column, _class_names(table.schema_arrow), _split_of(path, table), folder, most)
        except _Over as over:
            return over.code
    return 0


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    for batch in table.iter_batches(batch_size=_AT_ONCE, use_threads=False):
        yield from batch.to_pylist()


def _holds_films(table: Any, field: Any) -> bool:
    """By the first value that is there; pictures and sounds are kept in the same way."""
    import pyarrow.types as types

    binary = types.is_binary(field.type) or types.is_large_binary(field.type)
    if not binary and not (types.is_struct(field.type) and "bytes" in {part.name for part in field.type}):
        return False
    place = field.name if binary else f"{field.name}.bytes"
    for batch in table.iter_batches(batch_size=1, columns=[place], use_threads=False):
        data, _ = _film(batch.to_pylist()[0][field.name])
        if data:
            return bool(ending_of(data))
    return False


def _film(value: Any) -> tuple[bytes, str]:
    """The bytes of a clip and the name that it had; empty where there is none."""
    if isinstance(value, dict):
        data, name = value.get("bytes"), value.get("path")
        return (data if isinstance(data, bytes) else b""), (name if isinstance(name, str) else "")
    return (value if isinstance(value, bytes) else b""), ""


def ending_of(data: bytes) -> str:
    """The ending of a video file that begins so, or ""."""
    if data[4:8] in _MP4:
        return ".mp4"
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return ".avi"
    if data[:1] == b"\x47" and data[188:189] == b"\x47":
        return ".ts"
    return next((ending for start, ending in _STARTS.items() if data.startswith(start)), "")


def _class_names(schema: Any) -> dict[str, list[str]]:
    """The names of the classes whose numbers a column holds, as `datasets` notes them in the file."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        named = {key: value["names"] for key, value in features.items() if value.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}
    return {key: [str(name) for name in names] for key, names in named.items() if isinstance(names, list)}


def _split_of(path: str, table: Any) -> dict[str, str]:
    """The split that the file's name begins with, as `datasets` names its files, where no column says one."""
    found = _SPLIT.match(PurePosixPath(path).name)
    return {"split": found[1].lower()} if found and "split" not in table.schema_arrow.names else {}


def _write(
    rows: Iterator[dict[str, Any]],
    column: str,
    names: dict[str, list[str]],
    always: dict[str, str],
    folder: Path,
    most: int,
) -> None:
    left = most
    with (folder / "clips.jsonl").open("w") as said:
        for number, row in enumerate(rows):
            if number >= MOST_FILES:
                raise _Over(TOO_MANY)
            data, called = _film(row[column])
            name = _file_name(number, called, data)
            told = {key: _word(value, names.get(key)) for key, value in row.items() if not _is_bytes(value)}
            line = json.dumps(always | told | {column: name if data else called}, default=plain) + "\n"
            left -= len(data) + len(line)
            if left < 0:
                raise _Over(TOO_LARGE)
            if data:
                (folder / name).write_bytes(data)
            said.write(line)


def _file_name(number: int, called: str, data: bytes) -> str:
    """A name of our own around the one that it had: unique, and with nothing that leads elsewhere."""
    stem = re.sub(r"[^\w.-]+", "_", PurePosixPath(called.replace("\\", "/")).stem).strip("._")[:60]
    return f"{number:06d}{'-' if stem else ''}{stem}{ending_of(data) or '.mp4'}"


def _word(value: Any, names: list[str] | None) -> Any:
    known = names is not None and isinstance(value, int) and 0 <= value < len(names)
    return names[value] if known and names else value


def _is_bytes(value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, dict) and isinstance(value.get("bytes"), bytes))


if __name__ == "__main__":
    sys.exit(main())
