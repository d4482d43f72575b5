"""Folders of numbered pictures are films: decided by their numbers, named by lists and tables, told at the review."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_folders import FrameFolders, find_frame_folders
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def numbered(folder: str, count: int, pattern: str = "img_{:05}.jpg", first: int = 1, step: int = 1) -> list[str]:
    return [f"{folder}/{pattern.format(first + i * step)}" for i in range(count)]


def reasons(found: FrameFolders) -> set[str]:
    return {reason.partition(":")[0].partition(",")[0] for reason in found.left_out.values()}


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads an upload of these pictures and clips (names only) and these annotation files."""

    def layout(names: list[str], files: dict[str, Any] | None = None, **options: Any) -> DetectedLayout:
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        everything = [*names, *(files or {})]
        return detect_layout(Tree(tmp_path, everything, find_frame_folders(everything)), ReadingOptions(**options))

    return layout


def used(layout: DetectedLayout) -> list[tuple[str, tuple[str, ...], Span | None, str]]:
    return [(e.name, e.annotations.labels, e.span, e.split.value) for e in layout.entries if not e.problem]


@pytest.mark.parametrize(
    "pattern", ["img_{:05}.jpg", "frame_{:06}.png", "{:04}.jpg", "{}.webp", "frame_{:010}.jpg", "image-{}.JPEG"]
)
def test_every_usual_numbering_is_a_film_in_natural_order(pattern: str) -> None:
    names = numbered("a/v0", 12, pattern)
    found = find_frame_folders(sorted(names))
    assert list(found.films) == ["a/v0.mov"]
    assert list(found.films["a/v0.mov"].pictures) == names
    assert (found.films["a/v0.mov"].missing, found.left_out) == (0, {})


def test_optical_flow_is_left_out_with_a_reason() -> None:
    names = numbered("v0", 4) + numbered("v0", 4, "flow_x_{:05}.jpg") + numbered("v0", 4, "flow_y_{:05}.jpg")
    found = find_frame_folders(
        names + numbered("flow_x/v0", 4) + numbered("w", 3, "x_{}.jpg") + numbered("w", 3, "y_{}.jpg")
    )
    assert list(found.films) == ["v0.mov"]
    assert reasons(found) == {"Optical flow"}
    assert len(found.left_out) == 18


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["cat/1.jpg"], "A single picture"),
        ([f"cat/IMG_{n}.JPG" for n in range(2041, 2047)], "Photographs"),
        (["cat/3.jpg", "cat/900.jpg", "cat/4711.jpg"], "No frames of a film"),
        (["cat/1.jpg", "cat/01.jpg", "cat/2.jpg"], "No frames of a film"),
        (["cat/0.mp4", "cat/0.jpg", "cat/1.jpg"], "Pictures beside films"),
        (["films/cat/0.mp4", "films/cat/1.mp4", "thumbs/cat/0.jpg", "thumbs/cat/1.jpg"], "Pictures beside films"),
        (["films/v0.mp4", *numbered("frames/v0", 4)], "A film with the name of their folder is there as well."),
    ],
)
def test_other_pictures_are_no_films_and_are_named(names: list[str], reason: str, read: Any) -> None:
    found = find_frame_folders(names)
    assert (found.films, reasons(found)) == ({}, {reason})
    pictures = {name for name in names if not name.endswith(".mp4")}
    told = [group for group in read(names).not_used if group.reason.startswith(reason)]
    assert {name for group in told for name in group.names} == pictures


def test_unnumbered_pictures_of_a_frame_folder_are_named(read: Any) -> None:
    layout = read([*numbered("jump/v0", 3), "jump/v0/cover.jpg", "jump/v0/00004.png"])
    assert used(layout) == [("jump/v0.mov", ("jump",), None, "auto")]
    assert {name for group in layout.not_used for name in group.names} == {"jump/v0/cover.jpg", "jump/v0/00004.png"}


def test_several_films_in_one_folder_are_distinguished_by_their_names() -> None:
    found = find_frame_folders(numbered("cat", 3, "v0_{:03}.jpg") + numbered("cat", 4, "v1_{:03}.jpg"))
    assert {film: len(folder.pictures) for film, folder in found.films.items()} == {"cat/v0.mov": 3, "cat/v1.mov": 4}


def test_notes_name_gaps_steps_and_the_rate(read: Any) -> None:
    names = [name for name in numbered("jump/v0", 10) if "00004" not in name] + numbered("run/v1", 5, step=10)
    notes = read(names).notes
    assert notes[0].startswith("2 films are made of folders of numbered pictures, at 25 frames a second. No file says")
    assert "in jump/v0 1 number is not there (the first is 4)" in notes[1]
    assert "The numbers of run/v1 go in steps of 10" in notes[2]
    assert read(names, frame_rate=12.5).notes[0].endswith("at 12.5 frames a second, as chosen.")


RAW = [name for label in ("jump", "run") for number in (0, 1) for name in numbered(f"rawframes/{label}/v{number}", 8)]


def test_lists_of_frame_folders_give_split_and_label_with_the_names_of_the_folders(read: Any) -> None:
    lists = {"train_list.txt": "jump/v0 8 0\nrun/v0 8 1\n", "val_list.txt": "jump/v1 8 0\nrun/v1 8 1\n"}
    layout = read(RAW, lists)
    assert layout.key == "rawframes"
    assert used(layout) == [
        ("rawframes/jump/v0.mov", ("jump",), None, "train"),
        ("rawframes/run/v0.mov", ("run",), None, "train"),
        ("rawframes/jump/v1.mov", ("jump",), None, "validation"),
        ("rawframes/run/v1.mov", ("run",), None, "validation"),
    ]


def test_numbers_that_contradict_the_folders_stay_numbers_and_a_class_list_goes_first(read: Any) -> None:
    crossed = "jump/v0 8 0\njump/v1 8 1\nrun/v0 8 1\nrun/v1 8 0\n"
    assert [labels for _, labels, _, _ in used(read(RAW, {"train.txt": crossed}))] == [("0",), ("1",), ("1",), ("0",)]
    named = {"train.txt": "jump/v0 8 0\nrun/v0 8 1\n", "classes.txt": "Springen\nLaufen\n"}
    assert [labels for _, labels, _, _ in used(read(RAW, named))] == [("Springen",), ("Laufen",)]


def test_a_list_with_other_frame_counts_says_so(read: Any) -> None:
    layout = read(RAW, {"train.txt": "jump/v0 8 0\njump/v1 300 0\nrun/v0 8 1\nrun/v1 7 1\n"})
    assert any("jump/v1 has 8 pictures and 300 by the list" in note for note in layout.notes)
    assert len(used(layout)) == 4


def test_offsets_are_spans_and_several_numbers_are_labels(read: Any) -> None:
    offsets = read(RAW, {"train.txt": "jump/v0 0 4 0\njump/v0 4 4 1\nrun/v0 0 8 1\n"}, frame_rate=4)
    assert used(offsets) == [
        ("rawframes/jump/v0.mov", ("0",), Span(0, 1), "train"),
        ("rawframes/jump/v0.mov", ("1",), Span(1, 2), "train"),
        ("rawframes/run/v0.mov", ("1",), None, "train"),
    ]
    several = read(RAW, {"train.txt": "jump/v0 8 0 2\njump/v1 8 0 1\nrun/v0 8 1 2\n"})
    assert [labels for _, labels, _, _ in used(several)] == [("0", "2"), ("0", "1"), ("1", "2")]


def test_a_list_of_frame_counts_is_no_list_of_labels(read: Any) -> None:
    layout = read(RAW, {"counts.txt": "jump/v0 8\njump/v1 8\nrun/v0 8\nrun/v1 8\n"})
    assert layout.key == "folders"
    assert {labels for _, labels, _, _ in used(layout)} == {("jump",), ("run",)}
    assert ["counts.txt"] in [list(group.names) for group in layout.not_used]


def test_something_something_names_its_folders_by_id(read: Any) -> None:
    records = [
        {"id": "78687", "label": "holding potato", "template": "Holding [something]"},
        {"id": "4711", "label": "lifting a cup", "template": "Lifting [something]"},
    ]
    names = numbered("20bn/78687", 3, "{:05}.jpg") + numbered("20bn/4711", 3, "{:05}.jpg")
    assert used(read(names, {"something-something-v2-train.json": records})) == [
        ("20bn/78687.mov", ("Holding something",), None, "train"),
        ("20bn/4711.mov", ("Lifting something",), None, "train"),
    ]


def test_ucf101_lists_name_folders_with_the_ending_of_the_film(read: Any) -> None:
    names = [n for c in ("Diving", "Biking") for g in (1, 2) for n in numbered(f"UCF/{c}/v_{c}_g0{g}_c01", 4)]
    lists = {
        "trainlist01.txt": "Diving/v_Diving_g01_c01.avi 1\nBiking/v_Biking_g01_c01.avi 2\n",
        "testlist01.txt": "Diving/v_Diving_g02_c01.avi\nBiking/v_Biking_g02_c01.avi\n",
        "classInd.txt": "1 Diving\n2 Biking\n",
    }
    found = used(read(names, lists))
    assert sorted((labels, split) for _, labels, _, split in found) == [
        (("Biking",), "train"),
        (("Biking",), "validation"),
        (("Diving",), "train"),
        (("Diving",), "validation"),
    ]


KITCHEN = (
    "video_id,start_timestamp,stop_timestamp,start_frame,stop_frame,narration,verb,noun\n"
    "P01_01,00:00:00.10,00:00:02.10,5,105,open door,open,door\n"
    "P01_01,00:00:02.10,00:00:04.10,105,205,take cup,take,cup\n"
)


def test_epic_kitchens_is_cut_by_frames_at_the_rate_that_its_table_says(read: Any) -> None:
    names = numbered("P01/rgb_frames/P01_01", 300, "frame_{:010}.jpg")
    layout = read(names, {"EPIC_100_train.csv": KITCHEN})
    assert layout.notes[0].endswith("at 50 frames a second, as the tables say.")
    assert [(labels, span) for _, labels, span, _ in used(layout)] == [
        (("open door",), Span(4 / 50, 104 / 50)),
        (("take cup",), Span(104 / 50, 204 / 50)),
    ]
    slower = read(names, {"EPIC_100_train.csv": KITCHEN}, frame_rate=25)
    assert used(slower)[0][2] == Span(4 / 25, 104 / 25)


def test_frames_of_a_table_skip_the_gaps_of_the_folder(read: Any) -> None:
    names = [name for name in numbered("v0", 20) if not "00003" <= name[-9:-4] <= "00007"]
    table = "video,start_frame,end_frame,label\nv0,1,9,run\nv0,9,20,jump\n"
    assert [span for _, _, span, _ in used(read(names, {"t.csv": table}, frame_rate=1))] == [Span(0, 3), Span(3, 14)]


def test_a_column_of_rates_is_what_a_file_says(read: Any) -> None:
    names = numbered("v0", 4) + numbered("v1", 4)
    table = "video,label,fps\nv0,run,12\nv1,jump,29.97003\n"
    layout = read(names, {"t.csv": table})
    assert layout.notes[0] == (
        "2 films are made of folders of numbered pictures, at 12 to 29.97 frames a second, as the tables say."
    )


def test_pictures_listed_in_a_row_are_their_film_or_a_part_of_it(read: Any) -> None:
    def row(pictures: Any, answer: str) -> dict[str, Any]:
        turns = [{"role": "user", "content": "<video>What?"}, {"role": "assistant", "content": answer}]
        return {"messages": turns, "videos": pictures}

    names = numbered("f/v0", 4, "{}.jpg", 0) + numbered("f/v1", 4, "{}.jpg", 0) + numbered("f/v2", 4, "{}.jpg", 0)
    rows = [
        row([names[:4]], "Whole."),
        row(names[5:7], "Part."),
        row([[names[8], names[10]]], "Every other."),
        row([["/data/elsewhere/g/v9/0.jpg"]], "Missing."),
    ]
    layout = read(names, {"train.jsonl": "\n".join(map(json.dumps, rows))}, frame_rate=2)
    said = [(e.name, e.span, e.annotations.texts) for e in layout.entries if not e.problem]
    assert said == [("f/v0.mov", None, ("Whole.",)), ("f/v1.mov", Span(0.5, 1.5), ("Part.",))]
    assert any("2 rows" in text or "train.jsonl" in text for text in layout.notes)
    left_out = [name for group in layout.not_used for name in group.names if "train.jsonl" in name]
    assert len(left_out) == 2
