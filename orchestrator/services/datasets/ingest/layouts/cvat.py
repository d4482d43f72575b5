"""CVAT's XML for films: the tags and tracks of each task, as labels of the whole film."""

import re
from xml.etree import ElementTree

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree

_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
"""A document may define entities there, which grow beyond any limit; CVAT writes none."""


def read(tree: Tree) -> DetectedLayout | None:
    """Reads `annotations.xml` of CVAT for video 1.1: a film has the labels of its tags and tracks."""
    collected = EntryCollector(tree, "cvat", "CVAT for video (XML)")
    boxes = 0
    for file in tree.texts(".xml"):
        text = tree.readable_text(file)
        if "<annotations" not in text or _DECLARES.search(text):
            continue
        try:
            root = ElementTree.fromstring(text.encode())
        except ElementTree.ParseError:
            tree.problems.append(f"{file} is no valid XML. Export it again.")
            continue
        tasks = root.findall("./meta/task") or root.findall("./meta/job") or root.findall("./meta/project/tasks/task")
        sources = [(task.findtext("source") or root.findtext("./meta/source") or "").strip() for task in tasks]
        if not any(sources):
            continue
        collected.add_source(file)
        for task, source in zip(tasks, sources, strict=True):
            number = task.findtext("id")
            marks = [
                mark
                for mark in (*root.findall("tag"), *root.findall("track"))
                if len(tasks) == 1 or mark.get("task_id") == number
            ]
            boxes += sum(len(list(mark)) for mark in marks)
            labels = list(dict.fromkeys(mark.get("label") or "" for mark in marks))
            split = collected.split_of(task.findtext("subset"), file) if task.findtext("subset") else split_in(file)
            collected.add(source, file, labels=labels if len(labels) > 1 else "".join(labels), split=split)
    notes = [f"{boxes:,} shapes on single frames are not used: a film takes the labels of its tags and tracks."]
    return collected.done({"file": "meta: source", "label": "tag and track: label"}, notes if boxes else [])
