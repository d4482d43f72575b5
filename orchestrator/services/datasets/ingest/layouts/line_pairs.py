"""prompts.txt beside videos.txt, as finetrainers and CogVideoX read them: line by line, a text and its clip."""

from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree

_TEXTS = ("prompts", "prompt", "captions", "caption")
_CLIPS = ("videos", "video")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads two lists of the same folder with as many lines each; lists that differ in length are refused."""
    collected = EntryCollector(tree, "line_pairs", "prompts.txt and videos.txt")
    for texts, clips in _pairs(tree):
        prompts, videos = list(filled_lines(tree.readable_text(texts))), list(filled_lines(tree.readable_text(clips)))
        if not any(tree.index.named(PurePosixPath(line.strip()).name) for _, line in videos):
            continue
        if len(prompts) != len(videos):
            short = PurePosixPath(texts).name, PurePosixPath(clips).name
            tree.problems.append(
                f"{short[0]} has {len(prompts):,} lines and {short[1]} {len(videos):,}, so that it is unclear which "
                "text belongs to which clip. Write one line in each for every clip."
            )
            continue
        if apart := [number for (number, _), (other, _) in zip(videos, prompts, strict=True) if number != other]:
            tree.problems.append(
                f"{PurePosixPath(texts).name} and {PurePosixPath(clips).name} have empty lines at different places, so "
                f"that from line {apart[0]:,} on it is unclear which text belongs to which clip. Remove them."
            )
            continue
        collected.add_source(texts)
        collected.add_source(clips)
        for (number, video), (_, prompt) in zip(videos, prompts, strict=True):
            collected.at_line(clips, number)
            collected.add(video.strip(), clips, captions=prompt, split=split_in(clips))
    return collected.done({"file": "videos.txt", "caption": "prompts.txt"}) if collected.files else None


def _pairs(tree: Tree) -> list[tuple[str, str]]:
    """(list of texts, list of clips) of each folder that has both."""
    paths = {PurePosixPath(name): name for name in tree.texts(".txt")}
    by_stem = {(path.parent, path.stem.lower()): name for path, name in paths.items()}
    pairs = []
    for folder in sorted({path.parent for path in paths}):
        texts = next((by_stem[folder, stem] for stem in _TEXTS if (folder, stem) in by_stem), "")
        clips = next((by_stem[folder, stem] for stem in _CLIPS if (folder, stem) in by_stem), "")
        if texts and clips:
            pairs.append((texts, clips))
    return pairs
