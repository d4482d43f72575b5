"""Random lists, tables and folders of splits: each clip is on the side on which it was written, or it is said why."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from tests.fuzzing import examples, read_upload, sentences

SIDES = {Split.TRAIN: ("train", "training", "trainlist"), Split.VALIDATION: ("val", "valid", "test", "dev", "eval")}
STEMS = (
    *("0", "1", "01", "clip 1", "a,b", "v0.1", "train_01", "test", "été", "x;y", "video", "name", "id", "it's", "10"),
    *("val 2", "A-b", "e\u0301", "x_y", "path"),
)
FOLDERS = ("", "cat", "dog", "a/b", "bus/x")
clips_of = st.lists(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS)), min_size=2, max_size=9, unique_by=lambda clip: clip[1]
).map(lambda clips: [f"{folder}/{stem}.mp4".lstrip("/") for folder, stem in clips])
sides = st.sampled_from([Split.TRAIN, Split.VALIDATION, Split.AUTO])


def splits_of(layout: DetectedLayout) -> dict[str, Split]:
    return {entry.name: entry.split for entry in layout.entries if not entry.problem}


def table(rows: list[list[str]], separator: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


@st.composite
def name_lists(draw: st.DrawFn) -> tuple[list[str], dict[str, str], dict[str, Split], int]:
    """Lists that only name clips: (clips, files, the side of each clip, how many lines name no clip)."""
    clips = draw(clips_of)
    side_of = {clip: draw(sides) for clip in clips}
    written = draw(st.sampled_from(["path", "root", "name", "stem"]))
    in_both = draw(st.sets(st.sampled_from(clips), max_size=1)) if draw(st.booleans()) else set()
    missing = draw(st.integers(0, 1)) if len(clips) > 3 else 0
    files: dict[str, str] = {}
    for side, words in SIDES.items():
        named = [clip for clip in clips if side_of[clip] is side or clip in in_both]
        lines = [stated(clip, written) for clip in named]
        lines += ["not there 77.mp4"] * (missing if side is Split.TRAIN and lines else 0)
        if not lines:
            continue
        lines = draw(st.permutations(lines))
        if draw(st.booleans()):
            headers = ["file_name", "Video", "name", "clip"]
            named_so = {clip.rpartition("/")[2].removesuffix(".mp4") for clip in clips}
            lines.insert(0, draw(st.sampled_from([word for word in headers if word.lower() not in named_so])))
        mark = draw(st.sampled_from(["{}", "{}", '"{}"', "{},"]))
        end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
        folder = draw(st.sampled_from(["", "splits/", "annotations/"]))
        word = draw(st.sampled_from(words))
        ending = draw(st.sampled_from([".txt", ".lst"]))
        files[f"{folder}{word}{ending}"] = end.join(mark.format(line) for line in lines) + end
    side_of |= dict.fromkeys(in_both, Split.VALIDATION)
    return clips, files, side_of, missing if any("not there" in text for text in files.values()) else 0


def stated(clip: str, written: str) -> str:
    match written:
        case "path":
            return clip
        case "root":
            return f"/data/set/{clip}"
        case "name":
            return clip.rpartition("/")[2]
        case _:
            return clip.rpartition("/")[2].removesuffix(".mp4")


@examples(20)
@given(name_lists())
def test_lists_of_names(upload: tuple[list[str], dict[str, str], dict[str, Split], int]) -> None:
    clips, files, side_of, missing = upload
    layout = read_upload(files, clips)
    assert splits_of(layout) == side_of
    if missing:
        assert "not there 77.mp4" in sentences(layout)
    if files and Split.AUTO in side_of.values():
        assert "in no list of a split" in sentences(layout)


@examples(15)
@given(clips_of, st.data())
def test_a_json_object_of_lists(clips: list[str], data: st.DataObject) -> None:
    side_of = {clip: data.draw(sides) for clip in clips}
    written = data.draw(st.sampled_from(["path", "name", "stem"]))
    words = {side: data.draw(st.sampled_from(words)) for side, words in SIDES.items()}
    lists = {words[side]: [stated(clip, written) for clip in clips if side_of[clip] is side] for side in words}
    layout = read_upload({"split.json": json.dumps(lists)}, clips)
    assert splits_of(layout) == side_of


PREFIXES = ("", "kinetics_", "ucf101 ", "annotations/", "annotations/my-", "2024_")
SUFFIXES = ("", "_list", "_v1.0", "-00000-of-00001", "_split_1", ".metadata")
NO_SPLITS = ("trainer", "interval", "contest", "latest", "trainval", "train_val", "labels", "devices", "evaluated")


@examples(20)
@given(clips_of, st.data())
def test_tables_that_are_named_like_a_split(clips: list[str], data: st.DataObject) -> None:
    """The name of a table gives all its rows a side; a name that only looks like one gives none."""
    ending = data.draw(st.sampled_from([".csv", ".jsonl", ".json"]))
    tables: dict[str, Split] = {}
    for side, words in SIDES.items():
        name = data.draw(st.sampled_from(PREFIXES)) + data.draw(st.sampled_from(words))
        tables[f"{name}{data.draw(st.sampled_from(SUFFIXES))}{ending}"] = side
    if data.draw(st.booleans()):
        tables[f"{data.draw(st.sampled_from(NO_SPLITS))}{ending}"] = Split.AUTO
    table_of = {clip: data.draw(st.sampled_from(sorted(tables))) for clip in clips}
    files = {}
    for name in tables:
        rows = [(clip, f"class {len(clip) % 2}") for clip in clips if table_of[clip] == name]
        if not rows:
            continue
        records = [{"file_name": clip, "label": label} for clip, label in rows]
        lines = "\n".join(map(json.dumps, records))
        files[name] = (
            table([["file_name", "label"], *map(list, rows)])
            if ending == ".csv"
            else json.dumps(records)
            if ending == ".json"
            else lines
        )
    layout = read_upload(files, clips)
    assert splits_of(layout) == {clip: tables[table_of[clip]] for clip in clips}


WORDS = {
    **dict.fromkeys(["train", "Train", " TRAIN", "training"], Split.TRAIN),
    **dict.fromkeys(["val", "valid", "Validation ", "test", "TEST", "dev", "eval", "testing"], Split.VALIDATION),
    **dict.fromkeys(["", "unused", "holdout", "0", "1", "2", "train2", "n/a"], Split.AUTO),
}


@examples(20)
@given(clips_of, st.sampled_from(["split", "subset", "Partition"]), st.data())
def test_a_column_of_splits(clips: list[str], column: str, data: st.DataObject) -> None:
    """A word that is no split is said, because such clips may be trained on."""
    word_of = {clip: data.draw(st.sampled_from(sorted(WORDS))) for clip in clips}
    rows = [[clip, f"class {number % 2}", word_of[clip]] for number, clip in enumerate(clips)]
    layout = read_upload({"metadata.csv": table([["file_name", "label", column], *rows])}, clips)
    assert splits_of(layout) == {clip: WORDS[word] for clip, word in word_of.items()}
    unknown = [word for word in word_of.values() if WORDS[word] is Split.AUTO and word]
    if unknown:
        assert f"neither train, validation nor test ({unknown[0]}: " in sentences(layout)


@examples(20)
@given(st.lists(st.sampled_from(["run", "jump", "bus", "sit down"]), min_size=2, max_size=4, unique=True), st.data())
def test_folders_of_splits(classes: list[str], data: st.DataObject) -> None:
    """train/run/0.mp4 or run/train/0.mp4; a clip outside of these folders is said."""
    words = {side: data.draw(st.sampled_from([*words, f"{words[0]}_videos"])) for side, words in SIDES.items()}
    split_first = data.draw(st.booleans())
    root = data.draw(st.sampled_from(["", "set/", "my data/videos/"]))
    side_of, label_of = {}, {}
    for label in classes:
        for side, word in words.items():
            for number in range(data.draw(st.integers(1, 2))):
                folders = f"{word}/{label}" if split_first else f"{label}/{word}"
                clip = f"{root}{folders}/{number}.mp4"
                side_of[clip], label_of[clip] = side, label
    if outside := data.draw(st.booleans()):
        clip = f"{root}{classes[0]}/9.mp4" if not split_first else f"{root}other/{classes[0]}/9.mp4"
        side_of[clip], label_of[clip] = Split.AUTO, classes[0]
    layout = read_upload({}, list(side_of))
    assert splits_of(layout) == side_of
    assert {entry.name: entry.label for entry in layout.entries} == label_of
    assert ("outside the folders of the splits" in sentences(layout)) == outside
