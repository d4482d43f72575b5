"""Random lists of paths and classes: each clip has its own classes, or its line is named."""

import csv
import io
import json

from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from tests.fuzzing import examples, read_upload, sentences

NAMES = (
    *("riding horse", "grooming horse", "running", "Wash hands", "a b c", "été", "tai chi", "high jump", "狗"),
    *("long-jump", "pull ups", "push_up", "Running", "put on hat", "take off hat"),
)
STEMS = ("0", "1", "2", "clip 1", "clip 2", "v0.1", "10", "été", "A", "long name of a clip", "3")
FOLDERS = ("", "videos/", "my clips/", "some/where/")
paths = st.lists(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS)).map(lambda parts: f"{parts[0]}{parts[1]}.mp4"),
    min_size=3,
    max_size=9,
    unique_by=lambda path: path.rpartition("/")[2],
)
LISTS = st.sampled_from(["train_list.txt", "annotations.txt", "labels.lst", "kinetics_train.csv"])


def labels_of(layout: DetectedLayout) -> dict[str, tuple[str, ...]]:
    return {entry.name: entry.annotations.labels for entry in layout.entries if not entry.problem}


def texts_of(layout: DetectedLayout) -> dict[str, tuple[str, ...]]:
    """The labels of each clip; texts with blanks of which none stands twice may as well be captions."""
    return {
        entry.name: entry.annotations.labels or entry.annotations.captions
        for entry in layout.entries
        if not entry.problem
    }


@examples(30)
@given(paths, LISTS, st.sampled_from([" ", ",", ", ", "\t", ";"]), st.booleans(), st.data())
def test_class_names_with_blanks(
    clips: list[str], file: str, separator: str, has_header: bool, data: st.DataObject
) -> None:
    label_of = {clip: data.draw(st.sampled_from(NAMES)) for clip in clips}
    assume(len(set(label_of.values())) > 1)
    lines = [f"{clip}{separator}{label}" for clip, label in label_of.items()]
    if has_header:
        lines.insert(0, f"path{separator}label")
    end = data.draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    layout = read_upload({file: end.join(lines) + end}, clips)
    assert texts_of(layout) == {clip: (label,) for clip, label in label_of.items()}


@examples(30)
@given(paths, LISTS, st.sampled_from([" ", ",", "\t"]), st.sampled_from([" ", ","]), st.data())
def test_several_numbers_in_a_line(
    clips: list[str], file: str, separator: str, between: str, data: st.DataObject
) -> None:
    """A clip has all its classes; two numbers in every line may be a frame count and a class, which is said."""
    numbers_of = {clip: data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)) for clip in clips}
    lines = [f"{clip}{separator}{between.join(map(str, numbers))}" for clip, numbers in numbers_of.items()]
    layout = read_upload({file: "\n".join(lines)}, clips)
    expected = {clip: tuple(map(str, numbers)) for clip, numbers in numbers_of.items()}
    if all(len(numbers) == 2 for numbers in numbers_of.values()) and "frame count" in sentences(layout):
        expected = {clip: (labels[1],) for clip, labels in expected.items()}
    assert labels_of(layout) == expected


@examples(20)
@given(paths, st.sampled_from([" ", ",", "\t"]), st.booleans(), st.data())
def test_frame_counts_before_the_class(clips: list[str], separator: str, named: bool, data: st.DataObject) -> None:
    counts = {clip: data.draw(st.integers(20, 400)) for clip in clips}
    class_of = {clip: data.draw(st.sampled_from(NAMES) if named else st.integers(0, 9).map(str)) for clip in clips}
    assume(len(set(class_of.values())) > 1)
    lines = [f"{clip}{separator}{counts[clip]}{separator}{class_of[clip]}" for clip in clips]
    layout = read_upload({"train.txt": "\n".join(lines)}, clips)
    assert texts_of(layout) == {clip: (label,) for clip, label in class_of.items()}
    assert "frame count" in sentences(layout) or "number before the label" in sentences(layout)


def class_list(names: list[str], form: str, first: int) -> tuple[str, str]:
    """(name of the file, its content) of the names of classes in one of the forms that people have."""
    numbered = list(enumerate(names, first))
    text = io.StringIO()
    match form:
        case "lines":
            return "classes.txt", "\n".join(names) + "\n"
        case "number first":
            return "classInd.txt", "".join(f"{number} {name}\n" for number, name in numbered)
        case "number last":
            return "label_map.txt", "".join(f"{name}, {number}\n" for number, name in numbered)
        case "list":
            return "class_names.json", json.dumps(names)
        case "id2label":
            return "config.json", json.dumps({"id2label": {str(number): name for number, name in numbered}})
        case "label2id":
            return "label2id.json", json.dumps({name: number for number, name in numbered})
        case "objects":
            return "categories.json", json.dumps([{"id": number, "name": name} for number, name in numbered])
        case _:
            csv.writer(text).writerows([("id", "name"), *numbered])
            return "labels.csv", text.getvalue()


FORMS = ("lines", "number first", "number last", "list", "id2label", "label2id", "objects", "table")


@examples(30)
@given(
    paths,
    st.lists(st.sampled_from(NAMES), min_size=2, max_size=6, unique=True),
    st.sampled_from(FORMS),
    st.integers(0, 1),
    st.sampled_from(["", ".0"]),
    st.data(),
)
def test_a_list_of_class_names_and_numbers_of_clips(
    clips: list[str], names: list[str], form: str, first: int, decimal: str, data: st.DataObject
) -> None:
    """1 and 1.0 are one class; a name is that of its number, or there is no name and a sentence."""
    number_of = {clip: data.draw(st.integers(first, first + len(names) - 1)) for clip in clips}
    file, content = class_list(names, form, first)
    suffix_of = {clip: data.draw(st.sampled_from(["", decimal])) for clip in clips}
    lines = "".join(f"{clip},{number_of[clip]}{suffix_of[clip]}\n" for clip in clips)
    layout = read_upload({"train.csv": f"file_name,label\n{lines}", file: content}, clips)
    found = {clip: labels[0] for clip, labels in labels_of(layout).items()}
    named = {clip: names[number - first] for clip, number in number_of.items()}
    numbers = {clip: str(number) for clip, number in number_of.items()}
    used = set(number_of.values())
    is_unclear = form in ("lines", "list") and first == 1 and len(names) not in used
    if not is_unclear:  # counted from 0 or from 1: nothing in the files says it, but the sentence does
        assert found == named
    assert found in (named, numbers) or f"{min(used)} is {names[min(used)]}" in sentences(layout)


@examples(20)
@given(paths, st.sampled_from(["labels", "label", "classes", "tags"]), st.sampled_from([";", "|", "json"]), st.data())
def test_a_column_of_several_labels(clips: list[str], column: str, between: str, data: st.DataObject) -> None:
    several = {clip: data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)) for clip in clips}
    rows = [{"file_name": clip, column: labels} for clip, labels in several.items()]
    if between == "json":
        layout = read_upload({"data.json": json.dumps(rows)}, clips)
    else:
        text = io.StringIO(newline="")
        out = csv.writer(text)
        out.writerows([("file_name", "labels"), *((clip, between.join(labels)) for clip, labels in several.items())])
        layout = read_upload({"metadata.csv": text.getvalue()}, clips)
    assert labels_of(layout) == {clip: tuple(labels) for clip, labels in several.items()}
