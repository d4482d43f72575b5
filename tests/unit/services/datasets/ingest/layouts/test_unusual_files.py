"""Annotation files as programs and people write them at times: read right, or with a sentence about what was chosen."""

import io
import json
from datetime import date
from typing import Any

import openpyxl
import pytest

from orchestrator.domain.annotations import Span
from tests.fuzzing import read_upload, sentences

TWO = [["0.mp4", "run"], ["1.mp4", "jump"]]
TABLE = "file_name,label\n0.mp4,run\n1.mp4,jump\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", json.dumps(TWO)),
        ("m.json", json.dumps([["video", "label"], *TWO])),
        ("m.json", json.dumps({"file_name": ["0.mp4", "1.mp4"], "label": ["run", "jump"]})),
        ("m.json", json.dumps({"file_name": {"0": "0.mp4", "1": "1.mp4"}, "label": {"0": "run", "1": "jump"}})),
        ("m.json", json.dumps({"columns": ["file_name", "label"], "index": [0, 1], "data": TWO})),
        ("m.json", json.dumps([{"file_name": film, "label": {"id": 3, "name": label}} for film, label in TWO])),
        ("m.csv", TABLE.encode("utf-32")),
        ("m.csv", f"# my clips\n# second remark\n{TABLE}"),
        ("m.csv", ",file_name,label,\n7,0.mp4,run,x\n8,1.mp4,jump,y\n"),
        ("m.csv", "file_name,label\nhttps://example.org/v/0.mp4?token=1,run\nhttps://example.org/1.mp4#t=3,jump\n"),
        ("m.csv", "file_name,label\n%30.mp4,run\n1.mp4,jump\n"),
        ("m.txt", "path label\n0.mp4 run\n1.mp4 jump\n"),
        ("m.txt", "0.mp4 20 run\n1.mp4 30 jump\n"),
    ],
)
def test_labels_of_two_clips(name: str, content: str | bytes) -> None:
    layout = read_upload({name: content}, ["0.mp4", "1.mp4"])
    assert {entry.name: entry.label for entry in layout.entries} == {"0.mp4": "run", "1.mp4": "jump"}


def test_what_is_no_address_ends_no_reader() -> None:
    table = f"{TABLE}http://[a%20,run\nhttps://example.org:99999999/0.mp4?x,jump\n"
    labels = {entry.name: entry.label for entry in read_upload({"m.csv": table}, ["0.mp4", "1.mp4"]).entries}
    assert (labels["0.mp4"], labels["1.mp4"]) == ("run", "jump")


def test_numbers_in_lists_are_labels() -> None:
    layout = read_upload({"m.json": json.dumps({"0.mp4": [1, 3], "1.mp4": [2]})}, ["0.mp4", "1.mp4"])
    assert [entry.annotations.labels for entry in layout.entries] == [("1", "3"), ("2",)]


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_key_that_stands_twice_is_named(ending: str) -> None:
    lines = '{"file_name": "0.mp4", "label": "run", "label": "jump"}\n{"file_name": "1.mp4", "label": "run"}'
    text = f"[{lines.replace(chr(10), ',')}]" if ending == ".json" else lines
    layout = read_upload({f"m{ending}": text}, ["0.mp4", "1.mp4"])
    assert [entry.label for entry in layout.entries] == ["jump", "run"]
    assert f"m{ending} gives 1 key twice in one object" in sentences(layout)
    same = '{"0.mp4": "run", "0.mp4": "run", "1.mp4": "jump"}'
    assert "twice" not in sentences(read_upload({"m.json": same}, ["0.mp4", "1.mp4"]))


def test_a_column_that_stands_twice_is_named() -> None:
    table = "file_name,caption,caption\n0.mp4,a one,b one\n1.mp4,a two,b two\n"
    layout = read_upload({"m.csv": table}, ["0.mp4", "1.mp4"])
    assert [entry.caption for entry in layout.entries] == ["a one", "a two"]
    assert "m.csv: caption (2) (b one)" in sentences(layout)


def test_captions_in_objects_and_turns_in_pairs() -> None:
    captions = [{"file_name": "0.mp4", "captions": [{"id": 1, "caption": "a dog"}, {"id": 2, "caption": "a cat"}]}]
    assert read_upload({"m.json": json.dumps(captions)}, ["0.mp4"]).entries[0].annotations.captions == (
        "a dog",
        "a cat",
    )
    talk: list[Any] = [{"video": "0.mp4", "conversations": [["human", "<video>What?"], ["gpt", "A dog."], "odd"]}]
    layout = read_upload({"m.json": json.dumps(talk)}, ["0.mp4"])
    assert (layout.entries[0].prompt, layout.entries[0].caption) == ("What?", "A dog.")
    assert "1 turn of the role no role cannot be used" in sentences(layout)


@pytest.mark.parametrize(("start", "end"), [("0,5", "2,5"), ("500ms", "2500 ms"), ("0.5s", "2.5 sec")])
def test_times_as_people_write_them(start: str, end: str) -> None:
    table = f"video;start;end;label\n0.mp4;{start};{end};run\n1.mp4;1;3;jump\n"
    layout = read_upload({"m.csv": table}, ["0.mp4", "1.mp4"])
    assert layout.entries[0].span == Span(0.5, 2.5)


def test_the_first_line_of_a_class_list_may_be_its_header() -> None:
    files = {"m.csv": "file_name,label\n0.mp4,0\n1.mp4,1\n", "classes.csv": "name\nrun\njump\n"}
    assert [entry.label for entry in read_upload(files, ["0.mp4", "1.mp4"]).entries] == ["run", "jump"]


def test_marks_that_are_left_out_are_named() -> None:
    flag = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    table = f"file_name,caption\n0.mp4,the flag {flag}\n1.mp4,\u202bword\u202c here\n"
    layout = read_upload({"m.csv": table}, ["0.mp4", "1.mp4"])
    assert [entry.caption for entry in layout.entries] == [f"the flag {flag}", "word here"]
    assert "1 row of m.csv has marks of direction" in sentences(layout)


def test_an_empty_text_file_is_named() -> None:
    layout = read_upload({"0.txt": b"\xef\xbb\xbf \n", "1.txt": "a dog"}, ["0.mp4", "1.mp4"])
    assert "0.txt is empty" in sentences(layout)


def test_a_film_that_is_called_a_text_is_named() -> None:
    files = {"m.csv": b"\x00\x00\x00\x20ftypisom" + bytes(64), "classes.txt": "run\njump\n"}
    assert "m.csv holds a film and no text" in sentences(read_upload(files, ["0.mp4", "1.mp4"]))


def test_a_sample_of_several_films_names_its_file_and_row() -> None:
    rows = [
        {"videos": [film], "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "yes"}]}
        for film in ("2.mp4", "3.mp4")
    ]
    rows.insert(1, rows[0] | {"videos": ["0.mp4", "1.mp4"]})
    layout = read_upload({"d.json": json.dumps(rows)}, [f"{number}.mp4" for number in range(4)])
    assert "d.json, entry 2 It is about several films at once" in sentences(layout)
    assert {entry.name for entry in layout.entries if entry.problem} == {"0.mp4", "1.mp4"}


def test_what_a_workbook_does_not_show_is_named() -> None:
    """A formula that was never calculated, an error, a hidden sheet; a day is a day, and no midnight."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet, hidden = book.worksheets[0], book.create_sheet("old")
    for row in (["file_name", "label"], ["0.mp4", "=1+1"], ["1.mp4", "#N/A"], ["2.mp4", date(2024, 3, 1)]):
        sheet.append(row)
    for row in (["file_name", "label"], ["0.mp4", "sit"]):
        hidden.append(row)
    hidden.sheet_state = "hidden"
    book.save(out)
    layout = read_upload({"w.xlsx": out.getvalue()}, ["0.mp4", "1.mp4", "2.mp4"])
    assert [entry.label for entry in layout.entries] == ["", "", "2024-03-01"]
    said = sentences(layout)
    assert "w.xlsx: 1 cell has a formula without a value, and read as empty (the first is B2)" in said
    assert "w.xlsx: 1 cell has an error in place of a value, and read as empty: #N/A in row 3" in said
    assert "w.xlsx: the sheet old is hidden, and is not read." in said
