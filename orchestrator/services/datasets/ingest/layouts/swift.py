"""ms-swift's JSON lines: `messages` (or `query` and `response`) with `videos` or `video`, and a `label` to classify."""

from orchestrator.services.datasets.files import ending_of
from orchestrator.services.datasets.ingest.layouts.conversations import MANY_TURNS, exchange, turns_of, videos_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads JSON lines that name videos and a conversation, a query, or a label."""
    collected = EntryCollector(tree, "swift", "ms-swift (JSON lines)")
    labelled = several = False
    for file in tree.json_files():
        lines = ending_of(file) != ".json"
        for row in collected.rows(file):
            conversation, videos = turns_of(row), videos_of(row)
            has_turns = lines and isinstance(conversation, list)  # in a .json file it is read as ShareGPT or LLaVA
            if not videos or not (has_turns or "response" in row or "query" in row):
                continue
            collected.add_source(file)
            question, answer, answers = exchange(conversation)
            several, labelled = several or answers > 1, labelled or row.get("label") is not None
            collected.add(
                videos[0],
                file,
                row.get("label"),
                answer or row.get("response"),
                question or row.get("query"),
                split_in(file),
            )
    columns = {"video": "videos", "caption": "messages: the first answer", "prompt": "messages: the first question"}
    return collected.done(columns | ({"label": "label"} if labelled else {}), [MANY_TURNS] if several else [])
