"""Several labels, captions, turns and spans, as people have them: all are read, and each row adds to its clip."""

import json
from pathlib import Path

import pytest

from orchestrator.domain.annotations import Annotations, Conversation, Span, Turn
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.not_used import NotUsedKind
from orchestrator.settings import ROOT

FILMS = ("v/0.mp4", "v/1.mp4")


def read(folder: Path, name: str, text: str, videos: tuple[str, ...] = FILMS) -> DetectedLayout:
    for video in videos:
        (folder / video).parent.mkdir(parents=True, exist_ok=True)
        (folder / video).touch()
    (folder / name).write_text(text)
    return detect_layout(Tree(folder, [*videos, name]))


def annotations(layout: DetectedLayout) -> dict[tuple[str, Span | None], Annotations]:
    return {entry.key: entry.annotations for entry in layout.entries if not entry.problem}


def asked(*pairs: tuple[str, str]) -> tuple[Conversation, ...]:
    """Questions that do not follow each other."""
    return tuple(Conversation((Turn(*pair),)) for pair in pairs)


def test_further_rows_add_their_captions(tmp_path: Path) -> None:
    table = "file_name,caption\n0.mp4,one\n0.mp4,two\n1.mp4,three\n0.mp4,one\n"
    layout = read(tmp_path, "v/metadata.csv", table)
    assert [entry.annotations.captions for entry in layout.entries] == [("one", "two"), ("three",)]
    assert layout.notes == ["1 further line names a clip again and adds nothing."]


def test_further_rows_add_their_questions(tmp_path: Path) -> None:
    table = "file_name,question,answer\n0.mp4,Q0?,A0\n0.mp4,Q1?,A1\n1.mp4,Q2?,\n"
    layout = read(tmp_path, "v/metadata.csv", table)
    assert annotations(layout)["v/0.mp4", None].conversations == asked(("Q0?", "A0"), ("Q1?", "A1"))
    assert "1 question has no answer in metadata.csv, and is left out." in layout.notes


def test_a_second_single_label_contradicts_and_several_are_several(tmp_path: Path) -> None:
    rows = [
        {"file_name": "v/0.mp4", "label": "run"},
        {"file_name": "v/0.mp4", "label": "jump"},
        {"file_name": "v/1.mp4", "label": ["sit", "run"]},
        {"file_name": "v/1.mp4", "label": "jump"},
    ]
    layout = read(tmp_path, "a.json", json.dumps(rows))
    assert [entry.annotations.labels for entry in layout.entries] == [("run",), ("sit", "run", "jump")]
    assert layout.notes == [
        "a.json gives 1 clip several labels (the first is 1.mp4: sit, run).",
        "1 further line gives a clip another label; the first one is used: 0.mp4 (run, then jump)",
    ]
    assert [(group.names, group.reason) for group in layout.not_used] == [
        (("a.json, entry 2",), "It gives a clip another label; the first one is used.")
    ]


def test_a_conversation_is_read_with_its_system_turn_and_all_turns(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "Answer in JSON."},
        {"role": "user", "content": "<video>What?"},
        {"role": "assistant", "content": "A cat.\nIt sits."},
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "There."},
        {"role": "tool", "content": "found"},
        {"role": "user", "content": "When?"},
    ]
    layout = read(tmp_path, "d.json", json.dumps([{"messages": turns, "videos": ["v/0.mp4"]}]))
    pair = (Turn("What?", "A cat.\nIt sits."), Turn("Where?", "There."))
    assert annotations(layout)["v/0.mp4", None].conversations == (Conversation(pair, "Answer in JSON."),)
    assert layout.notes == [
        "1 turn of the role tool cannot be used, and is left out of the conversations.",
        "1 question has no answer in d.json, and is left out.",
    ]


@pytest.mark.parametrize("key", ["system", "instruction"])
def test_a_system_turn_may_stand_outside_of_the_turns(tmp_path: Path, key: str) -> None:
    row = {"conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}], "videos": ["v/0.mp4"]}
    info = {"d": {"file_name": "d.json", "columns": {"messages": "conversations", "system": key}}}
    (tmp_path / "d.json").write_text(json.dumps([row | {key: "Be short."}]))
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    layout = detect_layout(Tree(tmp_path, ["d.json", "dataset_info.json", "v/0.mp4"]))
    assert layout.entries[0].annotations.conversations[0].system == "Be short."


def test_the_history_of_a_query_comes_before_it(tmp_path: Path) -> None:
    row = {"query": "Where?", "response": "There.", "history": [["What?", "A cat."]], "videos": ["v/0.mp4"]}
    layout = read(tmp_path, "d.jsonl", json.dumps(row))
    assert layout.entries[0].annotations.conversations == (
        Conversation((Turn("What?", "A cat."), Turn("Where?", "There."))),
    )


SPANS = (
    "video,start,end,label\n0.mp4,0:01,3.5,run\n0.mp4,5 s,9,jump\n0.mp4,0:01,3.5,sit\n1.mp4,9,5,run\n1.mp4,x,5,run\n"
)


def test_each_span_is_a_clip_and_other_times_are_named(tmp_path: Path) -> None:
    layout = read(tmp_path, "v/t.csv", SPANS)
    assert annotations(layout) == {
        ("v/0.mp4", Span(1, 3.5)): Annotations(("run",)),
        ("v/0.mp4", Span(5, 9)): Annotations(("jump",)),
    }
    assert layout.columns == {"file": "video", "label": "label", "start": "start", "end": "end"}
    assert [entry.problem for entry in layout.entries if entry.problem] == ["The times of 1.mp4 in t.csv are no span."]
    assert "Not used, because their times are no part of a film: 2 lines of t.csv: 1.mp4 (9 to 5 s)" in layout.notes[-1]
    assert {name for group in layout.not_used for name in group.names if group.kind is NotUsedKind.ROW} == {
        *("v/t.csv, line 4", "v/t.csv, line 5", "v/t.csv, line 6")
    }


def test_the_spans_of_a_film_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    table = "video,start,end,label,split\n0.mp4,0,4,run,train\n0.mp4,5,9,jump,val\n1.mp4,0,4,run,train\n"
    layout = read(tmp_path, "v/t.csv", table)
    assert [entry.split for entry in layout.entries] == [Split.VALIDATION, Split.VALIDATION, Split.TRAIN]
    assert layout.notes == ["1 clip is named for training and for validation, and kept for validation: v/0.mp4"]


def test_a_sidecar_with_several_lines_is_one_caption(tmp_path: Path) -> None:
    layout = read(tmp_path, "v/0.txt", "One line.\nAnother.\n")
    assert layout.entries[0].annotations.captions == ("One line.\nAnother.",)
    assert "1 text file has several lines: each file is one caption with its line ends." in layout.notes


def test_too_many_captions_of_a_clip_are_refused_by_row(tmp_path: Path) -> None:
    rows = "".join(f"0.mp4,caption {i}\n" for i in range(1_001))
    layout = read(tmp_path, "v/metadata.csv", f"file_name,caption\n{rows}")
    assert len(layout.entries[0].annotations.captions) == 1_000
    (group,) = (group for group in layout.not_used if "1,000 captions" in group.reason)
    assert group.names == ("v/metadata.csv, line 1,002",)


def _captions(entry: Entry) -> list[str]:
    return list(entry.annotations.captions)


def _pairs(entry: Entry) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer) for talk in entry.annotations.conversations for turn in talk.turns]


def case(name: str) -> DetectedLayout:
    folder = ROOT.parent / "shared/cases/datasets" / name
    if not folder.is_dir():
        pytest.skip("No ../shared/cases/datasets next to the project: this test reads it.")
    return detect_layout(Tree(folder, [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]))


def test_the_cases_of_several_captions() -> None:
    for name, count in (("12/msrvtt20", 40), ("12/csv_captions", 10)):
        layout = case(name)
        usable = [entry for entry in layout.entries if not entry.problem]
        assert (len(usable), sum(len(_captions(entry)) for entry in usable), layout.notes) == (2, count, [])


def test_the_cases_of_several_questions() -> None:
    rows = [entry for entry in case("12/llava_rows").entries if not entry.problem]
    assert [len(entry.annotations.conversations) for entry in rows] == [5, 5]
    turns = [entry for entry in case("12/multi_turn").entries if not entry.problem]
    assert [_pairs(entry) for entry in turns] == [[(f"Q{i}?", f"A{i}.") for i in range(4)]] * 2
    assert [len(entry.annotations.conversations) for entry in turns] == [1, 1]
    system = [entry for entry in case("12/system_prompt").entries if not entry.problem]
    assert [entry.annotations.conversations[0].system for entry in system] == ["You only answer in JSON."] * 2
    oe = [_pairs(entry) for entry in case("13/msrvttqa").entries if not entry.problem]
    assert oe == [
        [("what do the robots sit on?", "bench"), ("who is talking?", "robot")],
        [("what runs?", "dog")],
    ]


def test_the_case_of_multiple_choice() -> None:
    usable = {entry.name: entry for entry in case("13/nextqa").entries if not entry.problem}
    turns = [entry.annotations.conversations[0].turns[0] for entry in usable.values()]
    assert [turn.answer for turn in turns] == ["roll the handle", "sip the tea"]
    assert [len(turn.options) for turn in turns] == [5, 5]
    assert all(option in turn.asked for turn in turns for option in turn.options)


@pytest.mark.parametrize(
    ("name", "last", "split"), [("10/kinetics_whole", "sit", Split.TRAIN), ("10/csv_start_end", "jump", Split.AUTO)]
)
def test_the_cases_of_spans(name: str, last: str, split: Split) -> None:
    usable = [entry for entry in case(name).entries if not entry.problem]
    assert [(Path(entry.name).stem, entry.span, entry.label) for entry in usable] == [
        ("vid0", Span(0, 4), "run"),
        ("vid0", Span(5, 9), "jump"),
        ("vid1", Span(1, 4), "run"),
        ("vid1", Span(5, 9), last),
    ]
    assert {entry.split for entry in usable} == {split}
