"""Something-Something v2: [{"id", "label", "template"}]; the class is the template, the label a caption."""

from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads lists with `template`; clips are named by their id (`78687.webm`)."""
    collected = EntryCollector(tree, "something", "Something-Something v2")
    for file in tree.json_files():
        rows = tree.rows(file)
        if not rows or not {"id", "template"} <= rows[0].keys():
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            label = str(row.get("template") or "").replace("[", "").replace("]", "")
            collected.add(str(row.get("id")), file, labels=label, captions=row.get("label"), split=split_in(file))
    for file in tree.texts(".json"):
        if collected.files and PurePosixPath(file).name == "labels.json":
            collected.add_source(file)
    return collected.done({"file": "id", "label": "template, without its brackets", "caption": "label"})
