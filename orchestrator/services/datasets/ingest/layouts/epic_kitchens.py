"""EPIC-Kitchens: a table with a line for each action, its times, verb, noun and narration."""

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_rates import frames_span, has_frame_columns
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.rows import Row
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
                span=_span(tree, row),
                split=split_in(file),
            )
    columns = {"file": "video_id", "span": "start_timestamp, stop_timestamp", "label": "verb and noun"}
    return collected.done(columns | {"caption": "narration"})


def _span(tree: Tree, row: Row) -> Span | None:
    """The times of a row; by its frames where the film is made of pictures, whose rate can be changed."""
    film = tree.index.at(str(row.get("video_id"))) or next(iter(tree.index.named(str(row.get("video_id")))), "")
    times = read_span(row.get("start_timestamp"), row.get("stop_timestamp"))
    return frames_span(row, film, tree.frames) if film in tree.frames.films and has_frame_columns(row) else times
