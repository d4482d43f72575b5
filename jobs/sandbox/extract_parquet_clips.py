"""`python -m jobs.sandbox.extract_parquet_clips FILE FOLDER MAX_BYTES`: writes clips inside a Parquet file as files.

Hugging Face's `datasets` stores a clip as a column of {bytes, path}. It is read a few rows at a time, in a process with
limits: users bring these files, and their reader is C++.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.sandbox import limits
from jobs.sandbox.read_parquet import plain
from orchestrator.domain.processes import SandboxExit

MEMORY_BYTES = 6 * 2**30
CPU_S = 3_600
FILE_BYTES = 4 * 2**30
MAX_CLIPS = 100_000
_BATCH_ROWS, _BUFFER_BYTES = 4, 2**20
"""Read at once; a row group may hold gigabytes of clips."""
_SIGNATURES = {
    b"\x1a\x45\xdf\xa3": ".mkv",
    b"FLV": ".flv",
    b"GIF8": ".gif",
    b"\0\0\1\xba": ".mpg",
    b"\x30\x26\xb2\x75": ".wmv",
}
_SPLIT = re.compile(r"(train|validation|valid|val|dev|test)(?![a-z])", re.IGNORECASE)
_MP4 = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


class _LimitReached(Exception):
    """Ends the program with `code`."""

    def __init__(self, code: SandboxExit) -> None:
        super().__init__(code)
        self.code = code


def main() -> int:
    """Writes each clip into FOLDER, and the other columns into FOLDER/clips.jsonl, with the name of the clip's file."""
    path, folder, max_bytes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=min(max_bytes, FILE_BYTES))
    import pyarrow
    import pyarrow.parquet as parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    with parquet.ParquetFile(path, memory_map=False, buffer_size=_BUFFER_BYTES) as table:
        column = next((field.name for field in table.schema_arrow if _holds_clips(table, field)), "")
        if not column:
            return SandboxExit.NO_CLIPS
        try:
            _write(_rows(table), column, _class_names(table.schema_arrow), _split_of(path, table), folder, max_bytes)
        except _LimitReached as reached:
            return reached.code
    return 0


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    for batch in table.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        yield from batch.to_pylist()


def _holds_clips(table: Any, field: Any) -> bool:
    """Judged by the first value that is not empty, since images and sounds are stored in the same way."""
    import pyarrow.types as types

    binary = types.is_binary(field.type) or types.is_large_binary(field.type)
    if not binary and not (types.is_struct(field.type) and "bytes" in {part.name for part in field.type}):
        return False
    column = field.name if binary else f"{field.name}.bytes"
    for batch in table.iter_batches(batch_size=1, columns=[column], use_threads=False):
        data, _ = _clip(batch.to_pylist()[0][field.name])
        if data:
            return bool(ending_of(data))
    return False


def _clip(value: Any) -> tuple[bytes, str]:
    """(bytes, original name) of a clip; empty where there is none."""
    if isinstance(value, dict):
        data, name = value.get("bytes"), value.get("path")
        return (data if isinstance(data, bytes) else b""), (name if isinstance(name, str) else "")
    return (value if isinstance(value, bytes) else b""), ""


def ending_of(data: bytes) -> str:
    """The file ending for a video with these first bytes; "" if it is no video."""
    if data[4:8] in _MP4:
        return ".mp4"
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return ".avi"
    if data[:1] == b"\x47" and data[188:189] == b"\x47":
        return ".ts"
    return next((ending for start, ending in _SIGNATURES.items() if data.startswith(start)), "")


def _class_names(schema: Any) -> dict[str, list[str]]:
    """For each column of class numbers the class names, which `datasets` stores in the file's metadata."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        named = {key: value["names"] for key, value in features.items() if value.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}
    return {key: [str(name) for name in names] for key, names in named.items() if isinstance(names, list)}


def _split_of(path: str, table: Any) -> dict[str, str]:
    """The split with which the file's name begins, as `datasets` names its files, unless a column says one."""
    match = _SPLIT.match(PurePosixPath(path).name)
    return {"split": match[1].lower()} if match and "split" not in table.schema_arrow.names else {}


def _write(
    rows: Iterator[dict[str, Any]],
    column: str,
    class_names: dict[str, list[str]],
    common: dict[str, str],
    folder: Path,
    max_bytes: int,
) -> None:
    """Writes the clips of `column` and the other values of each row, to which `common` is added.

    Raises:
        _LimitReached: too many bytes or clips.
    """
    left = max_bytes
    with (folder / "clips.jsonl").open("w") as file:
        for number, row in enumerate(rows):
            if number >= MAX_CLIPS:
                raise _LimitReached(SandboxExit.TOO_MANY)
            data, original = _clip(row[column])
            name = _file_name(number, original, data)
            values = {
                key: _class_name(value, class_names.get(key)) for key, value in row.items() if not _is_bytes(value)
            }
            line = json.dumps(common | values | {column: name if data else original}, default=plain) + "\n"
            left -= len(data) + len(line)
            if left < 0:
                raise _LimitReached(SandboxExit.TOO_LARGE)
            if data:
                (folder / name).write_bytes(data)
            file.write(line)


def _file_name(number: int, original: str, data: bytes) -> str:
    """A unique name from the original one, without anything that leads to another folder."""
    stem = re.sub(r"[^\w.-]+", "_", PurePosixPath(original.replace("\\", "/")).stem).strip("._")[:60]
    return f"{number:06d}{'-' if stem else ''}{stem}{ending_of(data) or '.mp4'}"


def _class_name(value: Any, names: list[str] | None) -> Any:
    known = names is not None and isinstance(value, int) and 0 <= value < len(names)
    return names[value] if known and names else value


def _is_bytes(value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, dict) and isinstance(value.get("bytes"), bytes))


if __name__ == "__main__":
    sys.exit(main())
