"""Detects the layout of an upload by its content: the first layout that finds its clips is used."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

import structlog

from orchestrator.domain.datasets import Split
from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.layouts import (
    activitynet,
    charades,
    cvat,
    didemo,
    epic_kitchens,
    fiftyone,
    folders,
    hmdb51,
    kinetics,
    label_studio,
    line_pairs,
    llava,
    mmaction,
    msrvtt,
    openai_chat,
    rawframes,
    sharegpt,
    sidecars,
    something,
    swift,
    ucf101,
    vatex,
    video_qa,
    videofolder,
    webdataset,
    webvid,
)
from orchestrator.services.datasets.ingest.layouts.class_names import with_class_names
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_rates import frame_notes, read_stated_rates
from orchestrator.services.datasets.ingest.layouts.matched_rows import in_both_note
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions
from orchestrator.services.datasets.ingest.layouts.spans import films_on_one_side
from orchestrator.services.datasets.ingest.layouts.split_lists import with_split_lists
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.ingest.layouts.unused_columns import unused_columns
from orchestrator.services.datasets.ingest.layouts.unused_files import unused_files
from orchestrator.services.datasets.not_used import NotUsedList

log = structlog.get_logger()
Reader = Callable[[Tree], DetectedLayout | None]
# The layouts with the clearest features first; a plain table with a file column comes after the more specific ones.
LAYOUTS: dict[str, tuple[str, Reader]] = {
    "openai": ("OpenAI-style messages", openai_chat.read),
    "swift": ("ms-swift (JSON lines)", swift.read),
    "sharegpt": ("LLaMA-Factory (ShareGPT)", sharegpt.read),
    "llava": ("LLaVA and Qwen (JSON)", llava.read),
    "video_qa": ("VideoChat2 and VideoInstruct (JSON)", video_qa.read),
    "label_studio": ("Label Studio (JSON)", label_studio.read),
    "fiftyone": ("FiftyOne (labels.json)", fiftyone.read),
    "activitynet": ("ActivityNet (JSON)", activitynet.read_labels),
    "activitynet_captions": ("ActivityNet Captions (JSON)", activitynet.read_captions),
    "didemo": ("DiDeMo (JSON)", didemo.read),
    "something": ("Something-Something v2", something.read),
    "msrvtt": ("MSR-VTT", msrvtt.read),
    "vatex": ("VATEX", vatex.read),
    "kinetics": ("Kinetics (CSV)", kinetics.read),
    "charades": ("Charades (CSV)", charades.read),
    "charades_sta": ("Charades-STA (lists)", charades.read_sentences),
    "epic_kitchens": ("EPIC-Kitchens (CSV)", epic_kitchens.read),
    "cvat": ("CVAT for video (XML)", cvat.read),
    "webvid": ("WebVid (CSV)", webvid.read),
    "ucf101": ("UCF101 (lists)", ucf101.read),
    "hmdb51": ("HMDB51 (lists)", hmdb51.read),
    "line_pairs": ("prompts.txt and videos.txt", line_pairs.read),
    "rawframes": ("Lists of frame folders (mmaction, TSN)", rawframes.read),
    "webdataset": ("WebDataset (shards)", webdataset.read),
    "videofolder": ("A table with a line for each clip", videofolder.read),
    "mmaction": ("Path and label lists (mmaction, VideoMAE)", mmaction.read),
    "sidecars": ("Captions next to the clips", sidecars.read),
    "folders": ("Class folders", folders.read),
}


def detect_layout(tree: Tree, options: ReadingOptions | None = None) -> DetectedLayout:
    """Reads an upload with the chosen options, or with the layout that its content shows.

    Files that are neither clips nor annotation files are named in `not_used`.

    Raises:
        Invalid: it cannot be read with the chosen layout.
    """
    options = options or ReadingOptions()
    tree.frames.chosen_rate = options.frame_rate
    read_stated_rates(tree)
    layout = _chosen(tree, options) if options.layout else _detected(tree)
    layout = with_class_names(tree, with_split_lists(tree, layout))
    entries, in_both = films_on_one_side(layout.entries)
    notes = [*frame_notes(layout, tree.frames), *layout.notes, *([in_both_note(in_both)] if in_both else [])]
    layout = replace(layout, entries=entries, notes=notes)
    if options.ignore_splits:
        layout = replace(layout, entries=[replace(entry, split=Split.AUTO) for entry in layout.entries])
    values = [note for file in layout.files for note in tree.notes(file)]
    notes = list(dict.fromkeys([*layout.notes, *values, *tree.problems, *_encoding_notes(tree, layout.files)]))
    not_used = NotUsedList([*unused_files(tree, layout), *layout.not_used, *unused_columns(tree, layout)])
    return replace(layout, notes=notes, not_used=not_used.groups())


def _detected(tree: Tree) -> DetectedLayout:
    layouts = (_try(reader, tree) for _, reader in LAYOUTS.values())
    return next((layout for layout in layouts if layout is not None), None) or folders.read(tree)


def _chosen(tree: Tree, options: ReadingOptions) -> DetectedLayout:
    if options.layout == "folders":
        return folders.read(tree, options.level)
    title, reader = LAYOUTS[options.layout]
    if options.layout == "videofolder":
        reader = partial(videofolder.read, chosen=options.columns)
    if (layout := _try(reader, tree)) is None:
        why = f" {tree.problems[-1]}" if tree.problems else ""
        raise Invalid(f"The files cannot be read as: {title}.{why} Choose another layout.", "layout")
    return layout


def _try(reader: Reader, tree: Tree) -> DetectedLayout | None:
    """Tries one layout; an unexpected structure of the files is logged and left to the other layouts."""
    tree.forget_read_keys()
    try:
        return reader(tree)
    except (TypeError, AttributeError, LookupError, ValueError):
        log.exception("layout_failed", layout=reader.__module__)
        return None


def _encoding_notes(tree: Tree, files: list[str]) -> list[str]:
    """A note about annotation files whose encoding was guessed."""
    used = [PurePosixPath(name).name for name in tree.guessed_encodings if name in files]
    if not used:
        return []
    which = f"{used[0]} is" if len(used) == 1 else f"{len(used):,} files are"
    first = "" if len(used) == 1 else f" (the first is {used[0]})"
    return [
        f"{which} not UTF-8{first}: read as Windows-1252. If characters look wrong, save it as UTF-8 and add it again."
    ]
