"""EPIC-Kitchens: a table with a line for each action, its times, verb, noun and narration."""

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree

_NEEDED = {"video_id", "start_timestamp", "stop_timestamp", "narration"}


def read(tree: Tree) -> DetectedLayout | None:
    """Reads tables of EPIC-Kitchens: each action is a span, its label is verb and noun, its caption the narration."""
    collected = EntryCollector(tree, "epic_kitchens", "EPIC-Kitchens (CSV)")
    for file in tree.texts(".csv", ".tsv"):
        rows = tree.rows(file)
        if not rows or not rows[0].keys() >= _NEEDED:
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            verb, noun = str(row.get("verb") or "").strip(), str(row.get("noun") or "").strip()
            collected.add(
                row.get("video_id"),
                file,
                labels=f"{verb} {noun}".strip(),
                captions=row.get("narration"),
                span=read_span(row.get("start_timestamp"), row.get("stop_timestamp")),
                split=split_in(file),
            )
    columns = {"file": "video_id", "span": "start_timestamp, stop_timestamp", "label": "verb and noun"}
    return collected.done(columns | {"caption": "narration"})
