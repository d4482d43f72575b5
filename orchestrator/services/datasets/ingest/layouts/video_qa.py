"""VideoChat2's and VideoInstruct's JSON: questions and answers as `q` and `a`, several to a film."""

from collections.abc import Mapping
from typing import Any

from orchestrator.domain.annotations import Conversation, Turn
from orchestrator.services.datasets.ingest.layouts.conversations import path_of, text_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree

_PAIRS = ("QA", "qa", "qa_pairs", "QAs")
_FILES = ("video", "video_path", "video_id", "video_name", "vid")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads records with a list `QA`, or with `q` and `a`; an instruction `i` stands before its question."""
    collected = EntryCollector(tree, "video_qa", "VideoChat2 and VideoInstruct (JSON)")
    for file in tree.json_files():
        rows = tree.rows(file)
        if not any(_pairs_of(row) for row in rows[:20]):
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            name = next((key for key in _FILES if key in row), "")
            if not name:
                continue
            stated = path_of(row.get(name))
            talks = [Conversation((Turn(question, answer),)) for question, answer in _pairs_of(row)]
            collected.add(stated, file, conversations=talks, split=split_in(file), alternatives=(f"v_{stated}",))
    return collected.done({"file": "video", "question": "QA: i and q", "caption": "QA: a"})


def _pairs_of(row: Row) -> list[tuple[str, str]]:
    """(question, answer) of each pair of a record."""
    listed = next((row.get(key) for key in _PAIRS if isinstance(row.get(key), list)), None)
    pairs: list[Any] = listed if listed is not None else [row] if {"q", "a"} <= row.keys() else []
    return [
        ("\n".join(filter(None, (text_of(pair.get("i")), text_of(pair.get("q"))))), text_of(pair.get("a")))
        for pair in pairs
        if isinstance(pair, Mapping)
    ]
