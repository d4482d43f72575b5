"""MSR-VTT: one JSON object with `videos` and `sentences`, about twenty sentences a clip."""

from collections import defaultdict

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads objects with both lists; a clip takes all of its sentences, and its split from `videos`."""
    collected = EntryCollector(tree, "msrvtt", "MSR-VTT")
    for file in tree.texts(".json"):
        if tree.rows(file):
            continue  # a list, not an object
        data = tree.json(file)
        if not isinstance(data, dict) or not isinstance(data.get("sentences"), list):
            continue
        videos = data.get("videos")
        videos = [v for v in videos if isinstance(v, dict)] if isinstance(videos, list) else []
        splits = {str(v.get("video_id")): collected.split_of(v.get("split"), file) for v in videos}
        collected.add_source(file)
        captions: dict[str, list[str]] = defaultdict(list)
        for row in data["sentences"]:
            if isinstance(row, dict) and row.get("video_id"):
                captions[str(row["video_id"])].append(str(row.get("caption") or ""))
        for clip, sentences in captions.items():
            collected.add(clip, file, captions=sentences, split=splits.get(clip, Split.AUTO))
    return collected.done({"file": "video_id", "caption": "sentences: caption", "split": "videos: split"})
