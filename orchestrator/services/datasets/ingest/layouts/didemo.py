"""DiDeMo: sentences whose times several people gave, in pieces of five seconds."""

from collections import Counter
from typing import Any

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree

PIECE_S = 5.0
"""Seconds of a piece (Hendricks et al., Localizing Moments in Video with Natural Language, 2017)."""


def read(tree: Tree) -> DetectedLayout | None:
    """Reads records with `video`, `description` and `times`; the times that most people gave are used."""
    collected = EntryCollector(tree, "didemo", "DiDeMo (JSON)")
    divided = 0
    for file in tree.json_files():
        rows = tree.rows(file)
        if not rows or not {"video", "description", "times"} <= rows[0].keys():
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            span, agreed = _most_stated(row.get("times"))
            divided += not agreed
            row.get("num_segments"), row.get("annotation_id")  # said by the times, and a number of the row
            collected.add(row.get("video"), file, captions=row.get("description"), span=span, split=split_in(file))
    sentences = "1 sentence" if divided == 1 else f"{divided:,} sentences"
    notes = [f"The people who gave the times of {sentences} do not agree: those that most of them gave are used."]
    return collected.done({"file": "video", "caption": "description", "span": "times"}, notes if divided else [])


def _most_stated(times: Any) -> tuple[Span | None, bool]:
    """(the span that was stated most often, the first of several; whether all stated the same)."""
    pairs = [tuple(pair) for pair in times if _is_pair(pair)] if isinstance(times, list) else []
    if not pairs:
        return None, True
    ((first, last), _), *others = Counter(pairs).most_common()
    return Span(first * PIECE_S, (last + 1) * PIECE_S), not others


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(type(piece) is int and piece >= 0 for piece in pair)
