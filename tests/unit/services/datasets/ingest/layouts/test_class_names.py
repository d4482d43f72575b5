"""Numbers of classes get their names from a list beside them; values keep what formats mean by them."""

import json
from pathlib import Path

import pytest

from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(folder: Path, files: dict[str, str], clips: int = 4) -> DetectedLayout:
    names = [f"{number}.mp4" for number in range(clips)]
    for name, text in files.items() | dict.fromkeys(names, "").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return detect_layout(Tree(folder, [*files, *names]))


def labels(layout: DetectedLayout) -> list[str]:
    return [entry.label for entry in sorted(layout.entries, key=lambda entry: entry.name)]


def table(*ids: object) -> str:
    return "file_name,label\n" + "".join(f"{number}.mp4,{label}\n" for number, label in enumerate(ids))


LISTS = {
    "classes.txt": "cat\ndog\nbird\n",
    "labels.txt": "0 cat\n1 dog\n2 bird\n",
    "label_map.txt": "cat 0\ndog 1\nbird 2\n",
    "class_names.json": '["cat", "dog", "bird"]',
    "id2label.json": '{"0": "cat", "1": "dog", "2": "bird"}',
    "label2id.json": '{"cat": 0, "dog": 1, "bird": 2}',
    "config.json": '{"model": "x", "id2label": {"0": "cat", "1": "dog", "2": "bird"}}',
    "categories.json": '[{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": "bird"}]',
    "labels.csv": "id,name\n0,cat\n1,dog\n2,bird\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_numbers_of_a_table_get_the_names_of_a_list(tmp_path: Path, name: str) -> None:
    layout = read(tmp_path, {"train.csv": table(0, 1, 0, 2), name: LISTS[name]})
    assert labels(layout) == ["cat", "dog", "cat", "bird"]
    assert name in layout.files
    assert any(note.startswith(f"The classes have their names from {name}") for note in layout.notes)
    assert not [group for group in layout.not_used if name in group.names]


@pytest.mark.parametrize(
    ("text", "ids", "expected"),
    [
        ("cat\ndog\nbird\n", (1, 2, 3, 1), ["cat", "dog", "bird", "cat"]),
        ("1 cat\n2 dog\n3 bird\n", (1, 2, 2, 1), ["cat", "dog", "dog", "cat"]),
        ("cat\ndog\nbird\n", ("1.0", "0", "0.0", "1"), ["dog", "cat", "cat", "dog"]),
        ("cat\ndog\n", (0, 1, 2, 3), ["0", "1", "2", "3"]),
        ("cat\ncat\n", (0, 1, 0, 1), ["0", "1", "0", "1"]),
    ],
)
def test_a_list_counts_as_the_numbers_of_the_clips_show(
    tmp_path: Path, text: str, ids: tuple[object, ...], expected: list[str]
) -> None:
    layout = read(tmp_path, {"train.csv": table(*ids), "classes.txt": text})
    assert labels(layout) == expected
    assert "classes.txt" in " ".join(layout.notes)


@pytest.mark.parametrize("first", [0, 1])
def test_lists_of_paths_and_numbers_count_like_tables(tmp_path: Path, first: int) -> None:
    lines = "".join(f"{number}.mp4 {first + number % 3}\n" for number in range(4))
    layout = read(tmp_path, {"train.txt": lines, "classes.txt": "cat\ndog\nbird\n"})
    assert labels(layout) == ["cat", "dog", "bird", "cat"]


def test_one_and_one_point_zero_are_one_class(tmp_path: Path) -> None:
    layout = read(tmp_path, {"train.csv": table(1, 2), "val.csv": "file_name,label\n2.mp4,1.0\n3.mp4,2.0\n"})
    assert labels(layout) == ["1", "2", "1", "2"]
    assert "Classes that are written as 1.0 are read as 1." in layout.notes
    assert labels(read(tmp_path, {"train.csv": table("1.0", "1.5", "1.0", "1.5")})) == ["1.0", "1.5", "1.0", "1.5"]


def test_nan_is_no_text_but_words_like_it_are_classes(tmp_path: Path) -> None:
    layout = read(tmp_path, {"t.csv": table("nan", "None", "null", "NA")})
    assert labels(layout) == ["", "None", "null", "NA"]
    assert "t.csv has NaN in 1 cell of the column label, which is read as empty." in layout.notes
    rows = [{"file_name": f"{n}.mp4", "caption": text} for n, text in enumerate([None, float("nan"), "None", "a nan"])]
    layout = read(tmp_path, {"t.json": json.dumps(rows)})
    assert [entry.caption for entry in layout.entries] == ["", "", "None", "a nan"]
