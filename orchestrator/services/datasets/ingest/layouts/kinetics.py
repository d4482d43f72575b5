"""Kinetics: a table of label, youtube_id, time_start, time_end and split; files named by id and times."""

from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads tables with `youtube_id`; files are named `<id>_<start:06d>_<end:06d>.mp4` or `<id>.mp4`, in any folder.

    A file with the times in its name is cut already; in a whole film each row is a span.
    """
    collected = EntryCollector(tree, "kinetics", "Kinetics (CSV)")
    for file in tree.texts(".csv", ".tsv"):
        rows = tree.rows(file)
        if not rows or "youtube_id" not in rows[0]:
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            clip = str(row.get("youtube_id") or "").strip()
            cut_name = f"{clip}_{_six_digits(row.get('time_start'))}_{_six_digits(row.get('time_end'))}"
            split = collected.split_of(row.get("split"), file) if row.get("split") else split_in(file)
            span = None if tree.index.named(cut_name) else read_span(row.get("time_start"), row.get("time_end"))
            collected.add(
                f"{cut_name}.mp4",
                file,
                labels=row.get("label"),
                span=span,
                split=split,
                alternatives=(cut_name, clip),
            )
    columns = {"file": "youtube_id, time_start, time_end", "label": "label", "split": "split"}
    return collected.done(columns)


def _six_digits(value: Any) -> str:
    try:
        return f"{int(float(value)):06d}"
    except (TypeError, ValueError, OverflowError):
        return "000000"
