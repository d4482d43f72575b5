"""LLaVA's and Qwen's JSON: one `video` and `conversations` from human and gpt."""

from orchestrator.services.datasets.ingest.layouts.conversations import MANY_TURNS, exchange, path_of, turns_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads lists whose rows hold `video` and a conversation."""
    collected, several = EntryCollector(tree, "llava", "LLaVA and Qwen (JSON)"), False
    for file in tree.json_files():
        for row in collected.rows(file):
            conversation, video = turns_of(row), row.get("video")
            if not isinstance(conversation, list) or not video:
                continue
            collected.add_source(file)
            question, answer, answers = exchange(conversation)
            several = several or answers > 1
            video = path_of(video[0] if isinstance(video, list) else video)
            collected.add(video, file, row.get("label"), answer, question, split_in(file))
    columns = {
        "video": "video",
        "caption": "conversations: the first answer",
        "prompt": "conversations: the first turn",
    }
    return collected.done(columns, [MANY_TURNS] if several else [])
