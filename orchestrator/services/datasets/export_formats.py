"""The annotation files of an exported dataset, in each format; what a format cannot hold is counted, never changed."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.annotations import Annotations, Conversation, Span, Turn
from orchestrator.domain.datasets import Split
from orchestrator.domain.tasks import ANNOTATIONS, Annotation
from orchestrator.services.datasets.export_marks import CONVERSATIONS, KIND, ExportedKind
from orchestrator.services.formula_cells import escape_formula


@dataclass(frozen=True, slots=True)
class ExportedClip:
    """A clip as it is exported: `file` is its name inside the zip."""

    file: str
    annotations: Annotations
    split: Split
    span: Span | None
    duration_s: float


class Lost(StrEnum):
    """What a format cannot hold, or what is not there; the value is its name in sentences."""

    SPAN = "span of a film"
    CONVERSATION = "conversation"
    SPLIT = "split of a span that differs from its film's"
    FILE = "clip whose file is not there any more"


_PLURALS = {
    Lost.SPAN: "spans of films",
    Lost.CONVERSATION: "conversations",
    Lost.SPLIT: "splits of spans that differ from their films'",
    Lost.FILE: "clips whose files are not there any more",
}


@dataclass(slots=True)
class Files:
    """The annotation files of an export.

    Attributes:
        texts: their contents by name.
        clips: the clips that they hold.
        lost: how much of which kind they cannot hold.
    """

    texts: dict[str, str] = field(default_factory=dict)
    clips: list[ExportedClip] = field(default_factory=list)
    lost: Counter[Lost] = field(default_factory=Counter)


def videofolder(clips: Sequence[ExportedClip]) -> Files:
    """Hugging Face's VideoFolder: metadata.csv where a line holds all of a clip, else metadata.jsonl."""
    if all(_is_one_line(clip) for clip in clips):
        return Files({"metadata.csv": _table(clips, "file_name")}, list(clips))
    rows = []
    for clip in clips:
        held = clip.annotations.to_json()
        row = {"file_name": clip.file, **_split(clip), **_times(clip)}
        labels = list(held.get("labels", ()))
        row |= {"labels": labels} if len(labels) > 1 else {"label": "".join(labels)}
        row |= {"captions": list(held["captions"])} if "captions" in held else {}
        row |= {CONVERSATIONS: held["conversations"]} if "conversations" in held else {}
        rows.append(row)
    return Files({"metadata.jsonl": _lines(rows)}, list(clips))


def table(clips: Sequence[ExportedClip]) -> Files:
    """A CSV with a line for each caption and each question, so that a clip may have several."""
    return Files({"clips.csv": _table(clips, "file_name")}, list(clips))


def sharegpt(clips: Sequence[ExportedClip]) -> Files:
    """LLaMA-Factory's ShareGPT with all turns: a file for each split, and dataset_info.json."""
    rows, files = _conversation_rows(clips)
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    info = {}
    for split, of_split in rows.items():
        name = _SPLIT_FILES[split]
        files.texts[f"{name}.json"] = json.dumps(of_split, ensure_ascii=False, indent=1)
        columns = {"messages": "messages", "videos": "videos"}
        info[name] = {"file_name": f"{name}.json", "formatting": "sharegpt", "columns": columns, "tags": tags}
    files.texts["dataset_info.json"] = json.dumps(info, indent=2)
    return files


def swift(clips: Sequence[ExportedClip]) -> Files:
    """ms-swift's JSON lines with all turns: a file for each split."""
    rows, files = _conversation_rows(clips)
    files.texts |= {f"{_SPLIT_FILES[split]}.jsonl": _lines(of_split) for split, of_split in rows.items()}
    return files


def activitynet(clips: Sequence[ExportedClip]) -> Files:
    """ActivityNet's JSON: labels and sentences of each film, with their segments where a clip is a span."""
    files = Files()
    database: dict[str, dict[str, Any]] = {}
    for clip in clips:
        segment = {"segment": [clip.span.start_s, clip.span.end_s]} if clip.span else {}
        held, lists = clip.annotations, []
        if held.labels:
            lists.append(segment | {"label": held.labels[0] if len(held.labels) == 1 else list(held.labels)})
        lists += [segment | {"sentence": caption} for caption in held.captions]
        files.lost[Lost.CONVERSATION] += len(held.conversations)
        if not lists:
            continue
        files.clips.append(clip)
        film = database.setdefault(
            clip.file.rpartition("/")[2].rpartition(".")[0],
            {"subset": _SUBSETS[clip.split], "duration": clip.duration_s, "annotations": []},
        )
        files.lost[Lost.SPLIT] += film["subset"] != _SUBSETS[clip.split]
        film["annotations"] += lists
    text = json.dumps({"version": "Loreel", "database": database}, ensure_ascii=False, indent=1)
    files.texts["annotations.json"] = text
    return files


FORMATS: Mapping[str, tuple[str, Callable[[Sequence[ExportedClip]], Files]]] = {
    "videofolder": ("VideoFolder", videofolder),
    "sharegpt": ("ShareGPT", sharegpt),
    "swift": ("ms-swift", swift),
    "activitynet": ("ActivityNet", activitynet),
    "csv": ("CSV", table),
}
"""Each format by its name in addresses, with its title."""

_SPLIT_FILES = {Split.AUTO: "data", Split.TRAIN: "train", Split.VALIDATION: "validation"}
_SUBSETS = {Split.AUTO: "", Split.TRAIN: "training", Split.VALIDATION: "validation"}


def lost_sentences(lost: Mapping[Lost, int], title: str) -> list[str]:
    """What is not in an export in this format, a sentence for each kind."""
    return [
        f"Not in this export: {formatting.plural(count, kind.value, _PLURALS[kind])}"
        f"{'' if kind is Lost.FILE else f', which {title} cannot hold'}."
        for kind, count in lost.items()
        if count
    ]


def _is_one_line(clip: ExportedClip) -> bool:
    """Whether one line of a table holds everything: at most one label, and one caption or one plain question."""
    held = clip.annotations
    talks = held.conversations
    return (
        len(held.labels) <= 1
        and len(held.captions) + len(talks) <= 1
        and clip.span is None
        and all(_is_pair(talk) and not talk.turns[0].options for talk in talks)
    )


def _is_pair(talk: Conversation) -> bool:
    """A question and its answer, without anything around them."""
    return len(talk.turns) == 1 and not talk.system


def _table(clips: Sequence[ExportedClip], file_column: str) -> str:
    lines = [line for clip in clips for line in _table_lines(clip, file_column)]
    used = {key for line in lines for key in line}
    order = (file_column, "label", "labels", "caption", "question", "options", "start", "end", CONVERSATIONS, "split")
    always = {file_column, "label", "caption", "split"}
    columns = [name for name in order if name in used | always]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows({key: escape_formula(str(value)) for key, value in line.items()} for line in lines)
    return text.getvalue()


def _table_lines(clip: ExportedClip, file_column: str) -> Iterator[dict[str, Any]]:
    held = clip.annotations
    about = {file_column: clip.file, **_split(clip), **_times(clip)}
    texts: list[dict[str, Any]] = [{"caption": caption} for caption in held.captions]
    for talk in held.conversations:  # in their order
        if _is_pair(talk):
            texts.append(_pair_cells(talk.turns[0]))
        else:
            stated = Annotations(conversations=(talk,)).to_json()["conversations"]
            texts.append({CONVERSATIONS: json.dumps(stated, ensure_ascii=False)})
    labels: dict[str, Any] = {"label": held.labels[0]} if len(held.labels) == 1 else {}
    labels |= {"labels": json.dumps(held.labels, ensure_ascii=False)} if len(held.labels) > 1 else {}
    for cells in texts or [{}]:
        yield about | cells | labels


def _pair_cells(turn: Turn) -> dict[str, Any]:
    options = {"options": json.dumps(turn.options, ensure_ascii=False)} if turn.options else {}
    return {"question": turn.question, "caption": turn.answer} | options


def _conversation_rows(clips: Sequence[ExportedClip]) -> tuple[dict[Split, list[dict[str, Any]]], Files]:
    """The rows of each split: one for each conversation and caption, or for the labels where there is neither."""
    files = Files()
    rows: dict[Split, list[dict[str, Any]]] = {}
    for clip in clips:
        if clip.span is not None:
            files.lost[Lost.SPAN] += 1
            continue
        files.clips.append(clip)
        held = clip.annotations
        labels: Any = held.labels[0] if len(held.labels) == 1 else list(held.labels)
        about = {"videos": [clip.file]} | ({"label": labels} if held.labels else {})
        talks = [(ExportedKind.CONVERSATION, talk) for talk in held.conversations]
        ask = ANNOTATIONS[Annotation.CAPTION].export_question
        talks += [(ExportedKind.CAPTION, Conversation((Turn(ask, caption),))) for caption in held.captions]
        if not talks:
            ask = ANNOTATIONS[Annotation.LABEL].export_question
            talks = [(ExportedKind.LABEL, Conversation((Turn(ask, ", ".join(held.labels)),)))]
        for kind, talk in talks:
            rows.setdefault(clip.split, []).append({"messages": _messages(talk)} | about | {KIND: kind})
    return rows, files


def _messages(talk: Conversation) -> list[dict[str, str]]:
    """The turns in the notation of chats; the first question shows the clip."""
    messages = [{"role": "system", "content": talk.system}] if talk.system else []
    for number, turn in enumerate(talk.turns):
        asked = f"<video>{turn.asked}" if number == 0 else turn.asked
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": turn.answer}]
    return messages


def _split(clip: ExportedClip) -> dict[str, str]:
    return {} if clip.split is Split.AUTO else {"split": clip.split.value}


def _times(clip: ExportedClip) -> dict[str, float]:
    return {"start": clip.span.start_s, "end": clip.span.end_s} if clip.span else {}


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
