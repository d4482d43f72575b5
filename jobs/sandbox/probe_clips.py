"""`python -m jobs.sandbox.probe_clips`: inspects clips, one a line of stdin, in a process with limits.

FFmpeg reads what users upload: a file that crashes it, or takes its memory or its time, ends this process only.
"""

import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from av.video.reformatter import VideoReformatter

from jobs.sandbox import limits
from jobs.video.inspect import inspect_clip
from jobs.video.span_strips import inspect_spans
from orchestrator.domain.annotations import Span
from orchestrator.domain.clip_facts import ClipFacts

MEMORY_BYTES = 6 * 2**30
FILE_BYTES = 16 * 2**20
"""A film strip has some 20 KB; nothing else is written."""
CPU_S = 300
"""For one clip."""


def main() -> int:
    """Reads [file, name, film strip] and prints `ClipFacts`, both as JSON, until stdin ends.

    For [file, name, "", [[start, end, film strip], ...]] it prints a list of `SpanFacts`.
    """
    limits.apply(memory_bytes=MEMORY_BYTES, file_bytes=FILE_BYTES)
    gc.freeze()  # modules are never freed, so the garbage collector need not walk over them
    gc.set_threshold(20_000)
    scaler = VideoReformatter()
    for line in sys.stdin:
        path, name, strip, *spans = json.loads(line)
        limits.allow_cpu(CPU_S)
        if spans:
            _print(_facts_of_spans(Path(path), name, spans[0]))
            continue
        try:
            facts = inspect_clip(Path(path), name, Path(strip), scaler)
        except MemoryError:
            facts = ClipFacts(problem=f"{name} needs more memory than a clip may take. Make it smaller first.")
        _print(asdict(facts))
    return 0


def _facts_of_spans(path: Path, name: str, spans: list[list[Any]]) -> list[dict[str, Any]]:
    try:
        found = inspect_spans(path, name, [(Span(start_s, end_s), Path(strip)) for start_s, end_s, strip in spans])
    except MemoryError:
        return []
    return [asdict(facts) for facts in found]


def _print(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
