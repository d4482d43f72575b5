"""Random uploads for tests with an oracle: how many, and how a layout reads them."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_folders import find_frame_folders
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions
from orchestrator.services.datasets.ingest.layouts.tree import Tree

FACTOR = int(os.environ.get("FUZZ_FACTOR", "1"))
"""FUZZ_FACTOR=200 in the environment tries two hundred times as many examples, other ones each time."""


def examples(count: int) -> settings:
    """Settings for so many examples, which are the same in each run."""
    return settings(
        max_examples=count * FACTOR,
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


def read_upload(
    files: Mapping[str, str | bytes], clips: Iterable[str], options: ReadingOptions | None = None
) -> DetectedLayout:
    """How an upload of these annotation files and clips is read; the clips are names only."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        names = [*clips, *files]
        return detect_layout(Tree(Path(folder), names, find_frame_folders(names)), options)


def sentences(layout: DetectedLayout) -> str:
    """Everything that is said about an upload, for a search in it."""
    groups = [f"{' '.join(group.names)} {group.reason} {group.step}" for group in layout.not_used]
    problems = [entry.problem for entry in layout.entries if entry.problem]
    return "\n".join([*layout.notes, *groups, *problems])
