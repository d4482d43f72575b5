"""VATEX: [{"videoID": "id_000001_000011", "enCap": [...]}]."""

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads lists with `videoID` and `enCap`; files have the id as their name, or its part before the times."""
    collected = EntryCollector(tree, "vatex", "VATEX")
    for file in tree.json_files():
        rows = tree.rows(file)
        if not rows or not {"videoID", "enCap"} <= rows[0].keys():
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            clip, captions = str(row.get("videoID") or ""), row.get("enCap")
            whole, *times = clip.rsplit("_", 2)
            span = None if tree.index.named(clip) or len(times) < 2 else read_span(*times)
            collected.add(clip, file, captions=captions, span=span, split=split_in(file), alternatives=(whole,))
    return collected.done({"file": "videoID", "caption": "enCap"})
