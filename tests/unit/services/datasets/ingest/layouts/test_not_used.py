"""Nothing that people give is left out without a word: files, rows and columns are used or named with a reason."""

import json
from pathlib import Path

import pytest

from benchmarks.stranger_cases import ABSENT, CASES, FOLDER
from orchestrator.services.datasets.files import is_system_file, list_files
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.tree import TABLE_ENDINGS, Tree
from orchestrator.services.datasets.not_used import MAX_NAMES, NotUsedKind, not_used_sentence

FOLDERS = [case for case in CASES if "." not in case and not case.startswith("24/")]


def read(folder: Path, files: dict[str, str]) -> DetectedLayout:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return detect_layout(Tree(folder, list(files)))


def groups(layout: DetectedLayout) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(group.kind.value, group.count, group.names) for group in layout.not_used]


def reason(layout: DetectedLayout, name: str) -> str:
    """Why a file is not used, and what to do."""
    return next(f"{group.reason} {group.step}".strip() for group in layout.not_used if name in group.names)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)
@pytest.mark.parametrize("case", FOLDERS)
def test_each_file_and_row_of_a_case_is_used_or_named(case: str) -> None:
    tree = Tree(FOLDER / case, [name for name in list_files(FOLDER / case) if not is_system_file(name)])
    layout = detect_layout(tree)
    files = [group for group in layout.not_used if group.kind in (NotUsedKind.FILE, NotUsedKind.LIST)]
    used = {entry.name for entry in layout.entries if not entry.problem} | set(layout.files)
    silent = [name for name in tree.names if name not in used]
    assert sum(group.count for group in files if group.kind is NotUsedKind.FILE) == len(silent)
    assert {name for group in files for name in group.names[:MAX_NAMES]} <= set(silent) | set(layout.files)
    assert all(group.reason.endswith((".", "!")) for group in layout.not_used)
    left_out = sum(group.count for group in layout.not_used if group.kind is NotUsedKind.ROW)
    tables = [file for file in layout.files if file.endswith(TABLE_ENDINGS) and tree.rows(file)]
    rows = sum(len(tree.content(file).rows) + len(tree.content(file).unusable) for file in tables)
    if tables and layout.key != "mmaction":  # lists without a header, whose lines are no rows
        assert len(used) - len(layout.files) <= rows - left_out <= rows


def test_rows_that_are_left_out_are_named_by_their_lines(tmp_path: Path) -> None:
    table = "file_name,label,fps,notes\na.mp4,run,25,\nb.mp4,jump,25,\nmissing.mp4,run,25,\n,sit,25,\na.mp4,run,25,\n"
    layout = read(tmp_path, {"t.csv": table + "b.mp4,jump,25,x,y\n", "a.mp4": "", "b.mp4": ""})
    assert groups(layout) == [
        ("row", 2, ("t.csv, line 4", "t.csv, line 5")),
        ("row", 1, ("t.csv, line 6",)),
        ("row", 1, ("t.csv, line 7",)),
        ("column", 1, ("t.csv: fps (25)",)),
    ]
    assert not_used_sentence(layout.not_used) == "4\u00a0rows, 1\u00a0column"


def test_entries_without_a_film_and_keys_that_nothing_reads_are_named(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<video>What?"}, {"from": "gpt", "value": "A cat."}]
    rows = [
        {"id": "1", "video": "a.mp4", "conversations": turns, "audio": "a.wav"},
        {"id": "2", "image": "b.jpg", "conversations": turns},
        {"id": "3", "conversations": turns},
    ]
    layout = read(tmp_path, {"train.json": json.dumps(rows), "a.mp4": "", "b.jpg": "", "a.wav": ""})
    assert ("row", 2, ("train.json, entry 2", "train.json, entry 3")) in groups(layout)
    assert ("column", 1, ("train.json: id (1)",)) in groups(layout)
    assert ("media", 2, ("train.json: audio (a.wav)", "train.json: image (b.jpg)")) in groups(layout)
    assert reason(layout, "b.jpg") == "A picture, and no film."
    assert reason(layout, "a.wav") == "Sound, and no film."


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x.json", '{"a": ', "It is not valid JSON (line 1). Correct it there."),
        ("x.json", '[{"id": 1, "words": "a b"}]', "None of its columns (id, words) names a clip of this upload."),
        ("x.csv", "name,words\nv0,\n", "None of its columns (name, words) names a clip of this upload."),
        ("x.csv", "clip_no,who\n0.mp4,a\n1.mp4,b\n", "Its column clip_no names clips, but none of its columns"),
        ("x.csv", "which,who\ncat/0.mp4,a\ndog/1.mp4,b\n", "Its column which names clips, but none of its columns"),
        ("x.txt", "", "It is empty."),
        ("x.txt", "some words\n", "None of its lines names a clip of this upload."),
        ("x.json", '{"version": 3}', "It holds no records that name clips."),
        ("README.md", "# Clips", "A readme, a licence or the like."),
        ("film.srt", "1\n", "Subtitles are not read. Write the texts into a table"),
        ("model.bin", "\0", "It is neither a film, nor an archive, nor a text that describes films."),
    ],
)
def test_a_file_that_no_layout_uses_is_named_with_the_reason(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    layout = read(tmp_path, {name: text, "cat/0.mp4": "", "dog/1.mp4": "", "dog/2.mp4": ""})
    assert [entry.name for entry in layout.entries] == ["cat/0.mp4", "dog/1.mp4", "dog/2.mp4"]
    assert expected in reason(layout, name)


def test_an_annotation_file_that_lost_is_named_with_the_one_that_won(tmp_path: Path) -> None:
    table = "file_name,label\na.mp4,run\nb.mp4,jump\n"
    files = {"metadata.csv": table, "a.txt": "A cat.", "b.txt": "A dog.", "a.mp4": "", "b.mp4": ""}
    layout = read(tmp_path, files)
    assert layout.files == ["metadata.csv"]
    assert reason(layout, "a.txt") == "It has the name of a clip, but the clips are described by metadata.csv."


def test_many_files_are_counted_exactly_and_named_in_part(tmp_path: Path) -> None:
    layout = read(tmp_path, {f"{number:03}.jpg": "" for number in range(500)} | {"cat/0.mp4": ""})
    (group,) = [group for group in layout.not_used if "picture" in group.reason.lower()]
    assert (group.count, len(group.names)) == (500, MAX_NAMES)


def test_lists_of_further_splits_and_their_lines_are_named(tmp_path: Path) -> None:
    lists = {"train1.txt": "cat0\ncat9\n", "test1.txt": "dog0\n", "train2.txt": "dog0\n", "test2.txt": "cat0\n"}
    layout = read(tmp_path, lists | {"cat/cat0.mp4": "", "dog/dog0.mp4": ""})
    assert groups(layout) == [
        ("row", 1, ("train1.txt: cat9",)),
        ("list", 2, ("test2.txt", "train2.txt")),
    ]


def test_persian_words_and_emoji_keep_their_joiners(tmp_path: Path) -> None:
    text = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f469\u200d\U0001f467 runs"
    layout = read(tmp_path, {"t.csv": f"file_name,caption\na.mp4,{text}\nb.mp4,b\n", "a.mp4": "", "b.mp4": ""})
    assert repr(text)[1:-1] in repr(layout.entries[0])


def test_pictures_in_folders_that_are_no_frame_folders_are_named(tmp_path: Path) -> None:
    frames = {f"frames/run/v{film}/{number:03}.bmp": "" for film in range(3) for number in range(4)}
    layout = read(tmp_path, frames | {"cat/0.mp4": ""})
    assert reason(layout, "frames/run/v0/000.bmp") == (
        "Pictures of 3 folders (the first is frames/run/v0) that are neither numbered as the frames of a film are, nor "
        "JPEG, PNG or WebP. Number them, or make a film of each folder: "
        "ffmpeg -framerate 25 -pattern_type glob -i 'FOLDER/*.bmp' FOLDER.mp4"
    )


def test_films_of_a_json_object_that_are_missing_are_named(tmp_path: Path) -> None:
    segments = [{"segment": [0.5, 2.0], "label": "run"}]
    films = {name: {"subset": "training", "annotations": segments} for name in ("abc0", "abc1", "gone")}
    database = json.dumps({"version": "1.3", "taxonomy": [1], "database": films})
    layout = read(tmp_path, {"anet.json": database, "v_abc0.mp4": "", "v_abc1.mp4": ""})
    assert ("row", 1, ("anet.json: gone",)) in groups(layout)
    assert {name for group in layout.not_used if group.kind is NotUsedKind.COLUMN for name in group.names} == {
        "anet.json: version (1.3)",
        "anet.json: taxonomy ([1])",
    }
