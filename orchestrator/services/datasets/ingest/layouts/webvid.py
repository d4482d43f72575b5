"""WebVid: a table of videoid, contentUrl, duration, page_dir and name; files named by id."""

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads tables with `videoid` and `name`; nothing is fetched from `contentUrl`."""
    collected = EntryCollector(tree, "webvid", "WebVid (CSV)")
    for file in tree.texts(".csv", ".tsv"):
        rows = tree.rows(file)
        if not rows or not {"videoid", "name"} <= rows[0].keys():
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            collected.add(f"{row.get('videoid')}", file, captions=row.get("name"), split=split_in(file))
    return collected.done({"file": "videoid", "caption": "name"})
