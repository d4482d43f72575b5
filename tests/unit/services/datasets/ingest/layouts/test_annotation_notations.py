"""Annotation files in the notations that people really write: every text is read exactly, or named in a sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.annotations import AnnotationKind
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.json_records import read_records
from orchestrator.services.datasets.ingest.layouts.tables import read_table
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.settings import ROOT

THINGS = [
    {
        "video": f"v/{i}.mp4",
        "conversations": [{"from": "human", "value": "<video>\nWhat?"}, {"from": "gpt", "value": f"Thing {i}."}],
    }
    for i in range(3)
]
JSON_LINES = "\n".join(map(json.dumps, THINGS))


def read(folder: Path, name: str, text: str, clips: int = 4) -> DetectedLayout:
    names = [f"v/{i}.mp4" for i in range(clips)]
    (folder / "v").mkdir(exist_ok=True)
    for clip in names:
        (folder / clip).touch()
    (folder / name).write_bytes(text.encode())
    return detect_layout(Tree(folder, [*names, name]))


def captions(layout: DetectedLayout) -> list[str]:
    return [entry.caption for entry in layout.entries if not entry.problem]


def labels(layout: DetectedLayout) -> list[str]:
    return [entry.label for entry in layout.entries if not entry.problem]


TABLES = {
    "separators inside texts": (
        "t.csv",
        "file_name,caption\nv/0.mp4,First.\u2028Second.\nv/1.mp4,Form\x0cfeed\nv/2.mp4,next\x85line\n",
        ["First.\u2028Second.", "Form\u2028feed", "next\u2028line"],
    ),
    "CR LF": ("t.csv", "file_name,caption\r\nv/0.mp4,a b\r\nv/1.mp4,c\r\n", ["a b", "c"]),
    "CR only": ("t.csv", "file_name,caption\rv/0.mp4,a b\rv/1.mp4,c\r", ["a b", "c"]),
    "lines in a cell": ("t.csv", 'file_name,caption\nv/0.mp4,"one\ntwo, three"\nv/1.mp4,c\n', ["one\ntwo, three", "c"]),
    "TSV with stray quotes": (
        "t.tsv",
        'file_name\tcaption\nv/0.mp4\tplain\nv/1.mp4\t"Stop" says the sign\nv/2.mp4\t"a man walks\nv/3.mp4\t6" pipe\n',
        ["plain", '"Stop" says the sign', '"a man walks', '6" pipe'],
    ),
    "TSV in which one quote opens and a later one closes": (
        "t.tsv",
        'file_name\tcaption\nv/0.mp4\t"a man walks\nv/1.mp4\ttwo\nv/2.mp4\truns"\n',
        ['"a man walks', "two", 'runs"'],
    ),
    "CSV in which one quote opens and a later one closes": (
        "t.csv",
        'file_name,caption\nv/0.mp4,"a man walks\nv/1.mp4,two\nv/2.mp4,runs"\n',
        ['"a man walks', "two", 'runs"'],
    ),
    "TSV with quoted cells": ("t.tsv", 'file_name\tcaption\nv/0.mp4\t"say ""hi"""\nv/1.mp4\tb\n', ['say "hi"', "b"]),
    "blanks behind commas": (
        "t.csv",
        'file_name, caption\nv/0.mp4, "A cat, sleeping, on a mat"\nv/1.mp4, A dog\nv/2.mp4, "A ""big"" bird"\n',
        ["A cat, sleeping, on a mat", "A dog", 'A "big" bird'],
    ),
    "backslashes before quotes": (
        "t.csv",
        'file_name,caption\nv/0.mp4,"A man says \\"hello, you\\" and walks"\nv/1.mp4,"C:\\\\"\nv/2.mp4,A bird\n',
        ['A man says "hello, you" and walks', "C:\\", "A bird"],
    ),
    "backslashes without a meaning": ("t.csv", 'file_name,caption\nv\\0.mp4,"a, b"\nv\\1.mp4,c\\d\n', ["a, b", "c\\d"]),
    "commas without quotes": (
        "t.csv",
        "file_name,caption\nv/0.mp4,A cat, sleeping, on a mat\nv/1.mp4,A dog\nv/2.mp4,A bird, flying\n",
        ["A cat, sleeping, on a mat", "A dog", "A bird, flying"],
    ),
    "commas without quotes, and quotes inside": (
        "t.csv",
        'file_name,caption\nv/0.mp4,A "big" cat, asleep\nv/1.mp4,b\n',
        ['A "big" cat, asleep', "b"],
    ),
    "empty columns at the end": ("t.csv", "file_name,caption,,\nv/0.mp4,a b,,\nv/1.mp4,c,,\n", ["a b", "c"]),
    "a line that names the separator": ("t.csv", "sep=;\nfile_name;caption\nv/0.mp4;a, b\nv/1.mp4;c\n", ["a, b", "c"]),
    "a header in a .txt": ("t.txt", "file_name\tcaption\nv/0.mp4\ta, b\nv/1.mp4\tc d\n", ["a, b", "c d"]),
    "captions without a header": (
        "c.tsv",
        "v/0.mp4\ta man, in red, walks 3\nv/1.mp4\ta dog runs\nv/2.mp4\ta cat sleeps on 2 mats\n",
        ["a man, in red, walks 3", "a dog runs", "a cat sleeps on 2 mats"],
    ),
    "captions with commas, without a header": (
        "c.csv",
        "v/0.mp4,a man, in red, walks\nv/1.mp4,a dog runs\nv/2.mp4,a cat\n",
        ["a man, in red, walks", "a dog runs", "a cat"],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_captions_of_a_table_are_read_exactly(tmp_path: Path, name: str) -> None:
    file, text, expected = TABLES[name]
    assert captions(read(tmp_path, file, text, len(expected))) == expected


def test_joined_and_unusable_lines_are_named_by_number(tmp_path: Path) -> None:
    joined = read(tmp_path, "t.csv", "file_name,caption\nv/0.mp4,A cat, sleeping\nv/1.mp4,b\nv/2.mp4,c, d\n", 3)
    assert joined.notes == [
        "t.csv has commas without quotation marks in lines 2 and 4: read as part of caption, the last column."
    ]
    unclear = read(tmp_path, "t.csv", "file_name,label\nv/0.mp4,run,jump\nv/1.mp4,run\nv/2.mp4,sit\n", 3)
    assert labels(unclear) == ["run", "sit"]
    assert "t.csv has more cells than columns in line 2, which cannot be used." in unclear.notes[0]
    middle = read(tmp_path, "t.csv", "file_name,label,caption\nv/0.mp4,run, fast,a man\nv/1.mp4,run,b\n", 2)
    assert captions(middle) == ["b"]
    broken = read(tmp_path, "t.csv", 'file_name,caption\nv/0.mp4,"a, b"\nv/1.mp4,"c, d"\nv/2.mp4,"open, end\n', 3)
    assert captions(broken) == ["a, b", "c, d"]
    assert any("in line 4, which cannot be used" in note for note in broken.notes)


JSON_FILES = {
    "JSON lines in a .json": ("train.json", JSON_LINES),
    "JSON lines in a .txt": ("train.txt", JSON_LINES),
    "an array in a .jsonl": ("train.jsonl", json.dumps(THINGS)),
    "an indented array in a .jsonl": ("train.jsonl", json.dumps(THINGS, indent=1)),
    "indented objects, one after the other": ("train.jsonl", "\n".join(json.dumps(row, indent=1) for row in THINGS)),
    "commas at the ends of lines": ("train.jsonl", ",\n".join(map(json.dumps, THINGS))),
    "a list in an object": ("train.json", json.dumps({"version": 1, "data": THINGS})),
    "a list in an object, in a .jsonl": ("train.jsonl", json.dumps({"version": 1, "samples": THINGS}, indent=1)),
    "captions by clip": ("captions.json", json.dumps({f"v/{i}.mp4": f"Thing {i}." for i in range(3)})),
    "captions by the clip's name without ending": ("c.json", json.dumps({f"v/{i}": f"Thing {i}." for i in range(3)})),
    "objects by clip": ("c.json", json.dumps({f"{i}.mp4": {"caption": f"Thing {i}."} for i in range(3)})),
}


@pytest.mark.parametrize("name", JSON_FILES)
def test_json_is_read_by_its_content(tmp_path: Path, name: str) -> None:
    layout = read(tmp_path, *JSON_FILES[name], clips=3)
    assert captions(layout) == ["Thing 0.", "Thing 1.", "Thing 2."]
    assert {entry.prompt for entry in layout.entries} <= {"", "What?"}


def test_records_in_objects_take_their_splits(tmp_path: Path) -> None:
    keyed = {"0.mp4": {"caption": "a", "split": "train"}, "1.mp4": {"caption": "b", "split": "val"}}
    expected = [Split.TRAIN, Split.VALIDATION]
    assert [entry.split for entry in read(tmp_path, "c.json", json.dumps(keyed), 2).entries] == expected
    by_split = {name: [{"file_name": f"v/{i}.mp4", "label": "x"}] for i, name in enumerate(["train", "test"])}
    assert [entry.split for entry in read(tmp_path, "c.json", json.dumps(by_split), 2).entries] == expected


def test_unicode_separators_stay_in_the_texts_of_json_lines(tmp_path: Path) -> None:
    marks = ["\u2028", "\u2029", "\x85"]
    rows = [{"file_name": f"v/{i}.mp4", "text": f"a{mark}b"} for i, mark in enumerate(marks)]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert captions(read(tmp_path, "prompts.jsonl", text, 3)) == ["a\u2028b", "a\u2029b", "a\u2028b"]


def test_all_damaged_json_lines_are_counted_and_named(tmp_path: Path) -> None:
    good = [json.dumps({"file_name": f"v/{i}.mp4", "text": "a"}) for i in range(4)]
    layout = read(tmp_path, "d.jsonl", "\n".join([good[0], "{", good[1], '"text"', good[2]]))
    assert layout.notes == ["d.jsonl is not valid JSON in lines 2 and 4. Correct it there."]
    many = read(tmp_path, "d.jsonl", "\n".join([*good, *["{"] * 7]))
    assert many.notes == ["d.jsonl is not valid JSON in 7 lines (5, 6, 7, 8, 9, …). Correct it there."]


HORSES = ["riding horse", "grooming horse", "riding horse", "grooming horse"]
LISTS = {
    "commas": ("train.csv", "v/{i}.mp4,{label}", HORSES),
    "commas and quotes": ("train.csv", '"v/{i}.mp4","{label}"', HORSES),
    "tabs": ("annotations.txt", "v/{i}.mp4\t{label}", HORSES),
    "blanks": ("annotations.txt", "v/{i}.mp4 {label}", HORSES),
    "a header": ("annotations.txt", "v/{i}.mp4\t{label}", ["label", *HORSES]),
    "a number and a name": ("annotations.txt", "v/{i}.mp4 {number} {label}", ["run", "jump", "run", "jump"]),
    "frame counts": ("annotations.txt", "v/{i}.mp4 120 {label}", ["3", "4", "3", "4"]),
}


@pytest.mark.parametrize("name", LISTS)
def test_classes_with_blanks_are_read_from_lists(tmp_path: Path, name: str) -> None:
    file, form, expected = LISTS[name]
    rows = list(expected)
    head = "file_name\tlabel\n" if rows[0] == "label" else ""
    rows = rows[1:] if head else rows
    text = head + "\n".join(form.format(i=i, label=label, number=int(label == "run")) for i, label in enumerate(rows))
    layout = read(tmp_path, file, text)
    if name == "a number and a name":
        assert [label.split()[-1] for label in labels(layout)] == rows
    else:
        assert labels(layout) == rows


SEVERAL = {
    "numbers": ("train_list.txt", "v/0.mp4 1 3 5\nv/1.mp4 1 2\nv/2.mp4 2\nv/3.mp4 3\n", "0.mp4: 1, 3, 5"),
    "commas": ("train.txt", "/d/v/0.mp4 53,54\n/d/v/1.mp4 53,60\n/d/v/2.mp4 54\n/d/v/3.mp4 53\n", "0.mp4: 53, 54"),
    "two on each line": ("t.txt", "v/0.mp4 1 2\nv/1.mp4 2 3\n", "0.mp4: 1, 2"),
    "names": ("train.csv", "v/0.mp4,run,jump\nv/1.mp4,run,sit\nv/2.mp4,sit\nv/3.mp4,sit\n", "0.mp4: run, jump"),
    "JSON": (
        "a.json",
        json.dumps([{"video": f"v/{i}.mp4", "label": ["run", "jump"] if i < 2 else ["sit"]} for i in range(4)]),
        "0.mp4: run, jump",
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels_of_a_clip_are_all_read_and_counted(tmp_path: Path, name: str) -> None:
    file, text, first = SEVERAL[name]
    layout = read(tmp_path, file, text)
    assert layout.notes[0] == f"{file} gives 2 clips several labels (the first is {first})."
    assert labels(layout)[0] == first.removeprefix("0.mp4: ")
    assert [AnnotationKind.LABELS in entry.annotations.kinds for entry in layout.entries[:2]] == [True, True]


def test_no_text_is_cut_and_nan_is_no_caption(tmp_path: Path) -> None:
    layout = read(tmp_path, "t.csv", f"file_name,caption\nv/0.mp4,{'x' * 4_001}\nv/1.mp4,b\n", 2)
    assert layout.entries[0].problem == (
        "0.mp4 in t.csv: A caption has 1 to 4,000 characters; this one has 4,001. Correct it there."
    )
    rows = '{"file_name": "v/0.mp4", "caption": NaN}\n{"file_name": "v/1.mp4", "caption": "b"}'
    assert captions(read(tmp_path, "t.jsonl", rows, 2)) == ["", "b"]


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('a",;\t|\n\r\\ \u2028{}[]:01.mp4'), max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for content in (
        read_table(text, "t.csv"),
        read_table(f"file_name,caption\n{text}", "t.csv"),
        read_records(text, "t.jsonl", True, lambda _: True),
        read_records(text, "t.json", False, lambda _: False),
    ):
        assert all(isinstance(row, dict) for row in content.rows)
        assert len(content.numbers) == len(content.rows)
        assert all(problem.startswith("t.") and problem.endswith(".") for problem in content.problems)


EXPECTED = {
    "07/comma": {"riding horse", "grooming horse", "playing guitar", "playing drums"},
    "07/tab": {"riding horse", "grooming horse", "playing guitar", "playing drums"},
    "07/header_txt": {"riding horse", "grooming horse"},
    "06/mmaction": {"1, 3, 5", "1, 2", "2", "2, 5", "3"},
    "06/comma": {"53, 54, 60", "53, 60", "54", "54, 53"},
    "06/json": {"run, jump", "run", "jump, sit", "sit"},
    "07/captions_tab": {"a man, in red, walks 3", "a dog runs", "a cat sleeps on 2 mats"},
    **{
        f"15/{name}": {"Thing 0.", "Thing 1.", "Thing 2."}
        for name in ("lines_in_json", "array_in_jsonl", "array_in_jsonl_pretty", "wrapped", "keyed", "keyed_dict")
    },
    "17/tsv_stray_quote": {'"Stop" says the sign', '"a man walks', "plain zero", "three", "four", '6" pipe rolls'},
    "17/csv_space_comma": {"A cat, sleeping, on a mat", "A dog", 'A "big" bird'},
    "17/csv_unquoted_comma": {"A cat, sleeping, on a mat", "A dog", "A bird, flying"},
    "17/csv_backslash_quote": {'A man says "hello, you" and walks', "A dog", "A bird"},
}


@pytest.mark.parametrize("case", EXPECTED)
def test_the_collected_cases_are_read_right(case: str) -> None:
    folder = ROOT.parent / "shared/cases/datasets" / case
    if not folder.is_dir():
        pytest.skip("No ../shared/cases/datasets next to the project: this test reads it.")
    layout = detect_layout(Tree(folder, [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]))
    usable = [entry for entry in layout.entries if not entry.problem]
    assert {entry.caption or entry.label for entry in usable} == EXPECTED[case]
