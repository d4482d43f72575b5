"""Charades and Charades-STA: a table with actions and their times, and lists of sentences with theirs."""

import re

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree

_ACTION = re.compile(r"\s*(\S+)\s+([\d.]+)\s+([\d.]+)\s*")
_CLASS = re.compile(r"(c\d{3})\s+(.+)")
_SENTENCE = re.compile(r"(\S+)\s+([\d.]+)\s+([\d.]+)\s*##\s*(.+)")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads tables with `id` and `actions`: each action is a span of its film, and `script` describes all of it.

    `Charades_v1_classes.txt` gives the actions their names.
    """
    collected = EntryCollector(tree, "charades", "Charades (CSV)")
    names = _class_names(tree, collected)
    unreadable = 0
    for file in tree.texts(".csv", ".tsv"):
        rows = tree.rows(file)
        if not rows or not {"id", "actions"} <= rows[0].keys():
            continue
        collected.add_source(file)
        for row in collected.rows(file):
            film, split = row.get("id"), split_in(file)
            for action in str(row.get("actions") or "").split(";"):
                if stated := _ACTION.fullmatch(action):
                    label = names.get(stated[1], stated[1])
                    collected.add(film, file, labels=label, span=read_span(stated[2], stated[3]), split=split)
                else:
                    unreadable += bool(action.strip())
            if row.get("script"):
                collected.add(film, file, captions=row.get("script"), split=split)
    actions = "1 action is" if unreadable == 1 else f"{unreadable:,} actions are"
    notes = [f'{actions} not written as "class start end", and cannot be used.'] if unreadable else []
    return collected.done({"file": "id", "label": "actions", "span": "actions", "caption": "script"}, notes)


def read_sentences(tree: Tree) -> DetectedLayout | None:
    """Reads Charades-STA's lists: `<film> <start> <end>##<sentence>` in each line."""
    collected = EntryCollector(tree, "charades_sta", "Charades-STA (lists)")
    for file in tree.lists():
        lines = list(filled_lines(tree.readable_text(file)))
        stated = [(number, match) for number, line in lines if (match := _SENTENCE.fullmatch(line.strip()))]
        if not stated or 2 * len(stated) < len(lines):
            continue
        collected.add_source(file)
        for number, match in stated:
            collected.at_line(file, number)
            span = read_span(match[2], match[3])
            collected.add(match[1], file, captions=match[4], span=span, split=split_in(file))
    return collected.done({"file": "the first field", "span": "the second and third", "caption": "the text after ##"})


def _class_names(tree: Tree, collected: EntryCollector) -> dict[str, str]:
    """The names of the actions, from lines such as "c000 Holding some clothes"."""
    for file in tree.texts(".txt"):
        if "class" in file.lower():
            lines = [_CLASS.fullmatch(line.strip()) for _, line in filled_lines(tree.readable_text(file))]
            if lines and all(lines):
                collected.add_source(file)
                return {match[1]: match[2] for match in lines if match}
    return {}
