"""Random values of labels, captions and answers: each arrives as it was written, or it is said why not."""

import csv
import io
import json
import math
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.annotations import LABEL_LIMIT, TEXT_LIMIT
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from tests.fuzzing import examples, read_upload, sentences

CLIPS = [f"v/{number}.mp4" for number in range(5)]
EMPTY = (None, "", "  ", [], math.nan)
VALUES = (
    *("run", "Run", "RUN", "run ", "None", "null", "NA", "n/a", "true", "False", "0", "01", "1", "1.0", "1.50", "-1"),
    *("1e5", "+1", "a, b", "é", "e\u0301", "狗", "x" * LABEL_LIMIT, "#REF!", "=A1", "2024-01-02", "0:05", "½", "²"),
    *(0, 1, -1, 7, 10**12, 0.5, 1.0, -0.0, 2.5, 1e20),
)
values = st.one_of(st.sampled_from(VALUES), st.sampled_from(EMPTY))


def as_text(value: Any) -> str:
    """What a value says: 1 and 1.0 are the same number."""
    if value is None or value == [] or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return str(value).strip().replace("e\u0301", "é")


def entries_of(layout: DetectedLayout) -> dict[str, Entry]:
    return {entry.name: entry for entry in layout.entries}


@examples(30)
@given(st.lists(values, min_size=2, max_size=5), st.sampled_from([".json", ".jsonl"]), st.data())
def test_labels_in_json(labels: list[Any], ending: str, data: st.DataObject) -> None:
    rows = [{"file_name": clip, "label": label} for clip, label in zip(CLIPS, labels, strict=False)]
    text = json.dumps(rows) if ending == ".json" else "\n".join(map(json.dumps, rows))
    layout = read_upload({f"metadata{ending}": text}, CLIPS[: len(labels)])
    check_labels(layout, [as_text(label) for label in labels])


@examples(20)
@given(st.lists(st.sampled_from([value for value in VALUES if isinstance(value, str)]), min_size=2, max_size=5))
def test_labels_in_a_table(labels: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("file_name", "label"), *zip(CLIPS, labels, strict=False)])
    layout = read_upload({"metadata.csv": text.getvalue()}, CLIPS[: len(labels)])
    check_labels(layout, [as_text(label) for label in labels])


def check_labels(layout: DetectedLayout, expected: list[str]) -> None:
    """Each clip has its label; 1.0 is 1 where 1 is a class as well, or where all classes are numbers."""
    found = [entry.label for entry in layout.entries]
    texts = set(expected) - {""}
    numbers = bool(texts) and all(re.fullmatch(r"-?[0-9]+(\.0+)?", text) for text in texts)
    merged = [text.removesuffix(".0") if numbers or text.removesuffix(".0") in texts else text for text in expected]
    assert found == merged
    if merged != expected:
        assert "are read as" in sentences(layout)


@examples(20)
@given(st.lists(st.integers(TEXT_LIMIT - 3, TEXT_LIMIT + 3) | st.just(5), min_size=2, max_size=5), st.booleans())
def test_a_text_is_complete_or_its_clip_is_refused(lengths: list[int], asked: bool) -> None:
    texts = ["é" * length for length in lengths]
    clips = CLIPS[: len(texts)]
    rows: list[dict[str, Any]] = [{"file_name": clip, "caption": text} for clip, text in zip(clips, texts, strict=True)]
    if asked:
        rows = [row | {"question": "What?"} for row in rows]
    layout = read_upload({"metadata.jsonl": "\n".join(map(json.dumps, rows))}, clips)
    for clip, text in zip(clips, texts, strict=True):
        entry = entries_of(layout)[clip]
        if len(text) <= TEXT_LIMIT:
            assert (entry.caption, entry.problem) == (text, "")
        else:
            assert f"{len(text):,}" in entry.problem
            assert clip.rpartition("/")[2] in entry.problem
            assert not entry.annotations


ANSWERS = ("Yes.", "two\nlines", 3, 2.5, 0, "0", "  ok ", ["a", {"text": "b"}], [{"type": "text", "text": "c"}], True)


def answer_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(part if isinstance(part, str) else part["text"] for part in value)
    return as_text(value)


@examples(30)
@given(
    st.lists(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3), min_size=2, max_size=4),
    st.sampled_from(["llava", "messages", "query"]),
)
def test_answers_of_conversations(talks: list[list[Any]], form: str) -> None:
    clips = CLIPS[: len(talks)]
    rows = []
    for clip, answers in zip(clips, talks, strict=True):
        turns = [(f"Question {number}?", answer) for number, answer in enumerate(answers)]
        if form == "llava":
            said = [part for q, a in turns for part in ({"from": "human", "value": q}, {"from": "gpt", "value": a})]
            rows.append({"video": clip, "conversations": said})
        elif form == "messages":
            said = [
                part for q, a in turns for part in ({"role": "user", "content": q}, {"role": "assistant", "content": a})
            ]
            rows.append({"videos": [clip], "messages": said})
        else:
            asked, answered = turns[-1]
            history = [list(turn) for turn in turns[:-1]]
            rows.append({"videos": [clip], "query": asked, "response": answered, "history": history})
    name = "data.json" if form == "llava" else "data.jsonl"
    text = json.dumps(rows) if form == "llava" else "\n".join(map(json.dumps, rows))
    layout = read_upload({name: text}, clips)
    for clip, answers in zip(clips, talks, strict=True):
        found = [turn.answer for talk in entries_of(layout)[clip].annotations.conversations for turn in talk.turns]
        assert found == [answer_text(answer) for answer in answers]
