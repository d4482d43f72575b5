"""`python -m jobs.sandbox.read_parquet FILE MAX_BYTES`: prints the rows of a Parquet file as JSON lines.

Users bring these files, and their reader is C++: one that crashes it, or takes its memory, ends this process only.
"""

import sys
from typing import Any

from jobs.sandbox import limits
from jobs.sandbox.json_lines import print_lines

MEMORY_BYTES = 4 * 2**30
CPU_S = 120
_BATCH_ROWS = 4_096
_MAX_CHARS = 20_000
"""Of one value: a caption is shorter, a file inside the table longer."""


def main() -> int:
    """One line a row; exit code `TOO_LARGE` when they are longer than MAX_BYTES."""
    path, max_bytes = sys.argv[1], int(sys.argv[2])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=0)
    import pyarrow
    import pyarrow.parquet as parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    with parquet.ParquetFile(path, memory_map=False) as table:
        columns = [column for field in table.schema_arrow for column in _text_columns(field)]
        batches = table.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False)
        return print_lines((row for batch in batches for row in batch.to_pylist()), max_bytes, plain)


def _text_columns(field: Any) -> list[str]:
    """The columns of a field without bytes; of a clip stored as {bytes, path}, as `datasets` does, only the path."""
    import pyarrow.types as types

    if types.is_binary(field.type) or types.is_large_binary(field.type) or types.is_fixed_size_binary(field.type):
        return []
    if types.is_struct(field.type):
        parts = {part.name for part in field.type}
        return [f"{field.name}.path"] if {"path", "bytes"} <= parts else [field.name]
    return [field.name]


def plain(value: Any) -> Any:
    """A value that JSON cannot hold, as text."""
    return value.decode(errors="replace")[:_MAX_CHARS] if isinstance(value, bytes) else str(value)[:_MAX_CHARS]


if __name__ == "__main__":
    sys.exit(main())
