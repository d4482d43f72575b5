"""Kinetics: a table of label, youtube_id, time_start, time_end and split; files named by id and times."""

from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import Understood
from orchestrator.services.datasets.ingest.layouts.gathering import Gathering
from orchestrator.services.datasets.ingest.layouts.splits import split_in, split_of
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> Understood | None:
    """Reads tables with `youtube_id`; `<id>_<start:06d>_<end:06d>.mp4` or `<id>.mp4`, in whatever folder."""
    found = Gathering(tree, "kinetics", "Kinetics (CSV)")
    for file in tree.texts(".csv", ".tsv"):
        rows = tree.rows(file)
        if not rows or "youtube_id" not in rows[0]:
            continue
        found.read(file)
        for row in rows:
            clip = str(row.get("youtube_id") or "").strip()
            cut = f"{clip}_{_six(row.get('time_start'))}_{_six(row.get('time_end'))}"
            name = tree.find(cut, file) or tree.find(clip, file) or f"{cut}.mp4"
            split = split_of(row.get("split")) if row.get("split") else split_in(file)
            found.add(name, file, row.get("label"), split=split)
    return found.done({"file": "youtube_id, time_start, time_end", "label": "label", "split": "split"})


def _six(value: Any) -> str:
    try:
        return f"{int(float(value)):06d}"
    except (TypeError, ValueError, OverflowError):
        return "000000"
