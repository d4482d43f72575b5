"""`python -m jobs.sandbox.read_parquet FILE MOST`: a Parquet table as JSON lines, read in a process with limits.

Strangers bring these files, and their reader is C++: one that crashes it, or takes its memory, ends this process only.
"""

import json
import sys
from typing import Any

from jobs.sandbox import limits

MEMORY_BYTES = 4 * 2**30
CPU_S = 120
_BATCH = 4_096
_LONGEST = 20_000
"""Characters of one value: a caption, never a file inside the table."""


def main() -> int:
    """One line a row; ends with 3 when there are more bytes than asked for."""
    path, most = sys.argv[1], int(sys.argv[2])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=0)
    import pyarrow
    import pyarrow.parquet as parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    written = 0
    with parquet.ParquetFile(path, memory_map=False) as table:
        columns = [place for field in table.schema_arrow for place in _places(field)]
        for batch in table.iter_batches(batch_size=_BATCH, columns=columns, use_threads=False):
            for row in batch.to_pylist():
                line = json.dumps(row, default=plain) + "\n"
                written += len(line)
                if written > most:
                    return 3
                sys.stdout.write(line)
    sys.stdout.flush()
    return 0


def _places(field: Any) -> list[str]:
    """The columns worth reading: no bytes; of a film kept as {bytes, path}, as `datasets` writes it, only the path."""
    import pyarrow.types as types

    if types.is_binary(field.type) or types.is_large_binary(field.type) or types.is_fixed_size_binary(field.type):
        return []
    if types.is_struct(field.type):
        inside = {part.name: part.type for part in field.type}
        return [f"{field.name}.path"] if "path" in inside and "bytes" in inside else [field.name]
    return [field.name]


def plain(value: Any) -> Any:
    """What JSON has no word for, as text."""
    return value.decode(errors="replace")[:_LONGEST] if isinstance(value, bytes) else str(value)[:_LONGEST]


if __name__ == "__main__":
    sys.exit(main())
