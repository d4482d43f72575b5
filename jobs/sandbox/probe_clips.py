"""`python -m jobs.sandbox.probe_clips`: inspects clips, one a line of stdin, in a process with limits.

FFmpeg reads what users upload: a file that crashes it, or takes its memory or its time, ends this process only.
"""

import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path

from av.video.reformatter import VideoReformatter

from jobs.sandbox import limits
from jobs.video.inspect import inspect_clip
from orchestrator.domain.clip_facts import ClipFacts

MEMORY_BYTES = 6 * 2**30
FILE_BYTES = 16 * 2**20
"""A film strip has some 20 KB; nothing else is written."""
CPU_S = 300
"""For one clip."""


def main() -> int:
    """Reads [file, name, film strip] and prints `ClipFacts`, both as JSON, until stdin ends."""
    limits.apply(memory_bytes=MEMORY_BYTES, file_bytes=FILE_BYTES)
    gc.freeze()  # modules are never freed, so the garbage collector need not walk over them
    gc.set_threshold(20_000)
    scaler = VideoReformatter()
    for line in sys.stdin:
        path, name, strip = json.loads(line)
        limits.allow_cpu(CPU_S)
        try:
            facts = inspect_clip(Path(path), name, Path(strip), scaler)
        except MemoryError:
            facts = ClipFacts(problem=f"{name} needs more memory than a clip may take. Make it smaller first.")
        sys.stdout.write(json.dumps(asdict(facts)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
