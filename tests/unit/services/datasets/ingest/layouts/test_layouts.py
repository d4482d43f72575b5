"""Every layout that people have, as they have it: the clips found, their labels, captions, questions and splits."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from orchestrator.domain.annotations import Annotations, Span, annotations_of
from orchestrator.domain.datasets import Split
from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.layouts import detect
from orchestrator.services.datasets.ingest.layouts import tree as tree_module
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions, parse_reading_options
from orchestrator.services.datasets.ingest.layouts.summary import summary
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.settings import ROOT

Files = dict[str, object]


def read(folder: Path, files: Files) -> DetectedLayout:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return detect_layout(Tree(folder, files))


def talk(question: str, answer: str, sharegpt: bool = True) -> list[dict[str, str]]:
    if sharegpt:
        return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def parts(path_key: str) -> list[dict[str, object]]:
    clip: object = {"url": "file:///data/a.mp4"} if path_key == "video_url" else "clips/a.mp4"
    content = [{"type": "video_url" if path_key == "video_url" else "video", path_key: clip}]
    ask = {"role": "user", "content": [*content, {"type": "text", "text": "What?"}]}
    return [ask, {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]}]


def clip(
    name: str, label: str = "", caption: str | tuple[str, ...] = "", prompt: str = "", split: Split = Split.AUTO
) -> Entry:
    if isinstance(caption, tuple):
        return Entry(name, Annotations((label,) if label else (), caption), split=split)
    return Entry(name, annotations_of(label, caption, prompt), split=split)


CAT = clip("clips/a.mp4", "", "A cat.", "What?")
CASES: dict[str, tuple[Files, str, list[Entry]]] = {
    "sharegpt": (
        {
            "data.json": [{"messages": talk("<video>What?", "A cat."), "videos": ["clips/a.mp4"]}],
            "clips/a.mp4": b"",
        },
        "sharegpt",
        [CAT],
    ),
    "sharegpt, older": (
        {
            "d.json": [{"conversations": talk("<video>\nWhat?", "A cat.", False), "videos": ["/x/clips/a.mp4"]}],
            "clips/a.mp4": b"",
        },
        "sharegpt",
        [CAT],
    ),
    "sharegpt, own columns": (
        {
            "dataset_info.json": {
                "mine": {
                    "file_name": "d.json",
                    "formatting": "sharegpt",
                    "columns": {"messages": "chat", "videos": "films"},
                    "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "user"},
                }
            },
            "d.json": [
                {
                    "chat": [{"who": "user", "says": "<video>What?"}, {"who": "assistant", "says": "A cat."}],
                    "films": ["a.mp4"],
                }
            ],
            "clips/a.mp4": b"",
        },
        "sharegpt",
        [CAT],
    ),
    "swift": (
        {
            "train.jsonl": lines({"messages": talk("<video>What?", "A cat."), "video": "clips/a.mp4", "label": 3}),
            "clips/a.mp4": b"",
        },
        "swift",
        [clip("clips/a.mp4", "3", "A cat.", "What?", Split.TRAIN)],
    ),
    "swift, query": (
        {"d.jsonl": lines({"query": "What?", "response": "A cat.", "videos": ["a.mp4"]}), "clips/a.mp4": b""},
        "swift",
        [CAT],
    ),
    "llava": (
        {
            "d.json": [{"id": "1", "video": "a.mp4", "conversations": talk("<video>\nWhat?", "A cat.", False)}],
            "clips/a.mp4": b"",
        },
        "llava",
        [CAT],
    ),
    "openai, path": ({"d.json": [{"messages": parts("path")}], "clips/a.mp4": b""}, "openai", [CAT]),
    "openai, url": ({"d.jsonl": lines({"messages": parts("video_url")}), "clips/a.mp4": b""}, "openai", [CAT]),
    "videofolder, csv": (
        {"train/metadata.csv": "file_name,text\na.mp4,A cat.\n", "train/a.mp4": b""},
        "videofolder",
        [clip("train/a.mp4", "train", "A cat.", split=Split.TRAIN)],
    ),
    "videofolder, jsonl": (
        {
            "metadata.jsonl": lines({"file_name": "a.mp4", "label": "cat", "caption": "A cat.", "split": "test"}),
            "a.mp4": b"",
        },
        "videofolder",
        [clip("a.mp4", "cat", "A cat.", split=Split.VALIDATION)],
    ),
    "videofolder, questions": (
        {"metadata.csv": "file_name,caption,question\na.mp4,A cat.,What?\n", "a.mp4": b""},
        "videofolder",
        [clip("a.mp4", "", "A cat.", "What?")],
    ),
    "videofolder, semicolons": (
        {"clips.csv": "\ufeffVideo;Label\nx\\a.mp4;cat\n", "x/a.mp4": b""},
        "videofolder",
        [clip("x/a.mp4", "cat")],
    ),
    "ucf101": (
        {
            "classInd.txt": "1 Archery\n",
            "trainlist01.txt": "Archery/v_a.avi 1\n",
            "testlist01.txt": "Archery/v_b.avi\n",
            "trainlist02.txt": "Archery/v_b.avi 1\n",
            "UCF/Archery/v_a.avi": b"",
            "UCF/Archery/v_b.avi": b"",
        },
        "ucf101",
        [
            clip("UCF/Archery/v_b.avi", "Archery", split=Split.VALIDATION),
            clip("UCF/Archery/v_a.avi", "Archery", split=Split.TRAIN),
        ],
    ),
    "kinetics": (
        {
            "k.csv": "label,youtube_id,time_start,time_end,split\nplaying chess,-x_Y,3,13,val\n",
            "playing chess/-x_Y_000003_000013.mp4": b"",
        },
        "kinetics",
        [clip("playing chess/-x_Y_000003_000013.mp4", "playing chess", split=Split.VALIDATION)],
    ),
    "mmaction": (
        {
            "train_list.txt": "a b/x.mp4 0\ny.mp4 120 1\n",
            "label_map.txt": "jump\nrun fast\n",
            "a b/x.mp4": b"",
            "y.mp4": b"",
        },
        "mmaction",
        [clip("a b/x.mp4", "jump", split=Split.TRAIN), clip("y.mp4", "run fast", split=Split.TRAIN)],
    ),
    "videomae": (
        {"val.csv": "/data/x.mp4 4\n", "in/x.mp4": b""},
        "mmaction",
        [clip("in/x.mp4", "4", split=Split.VALIDATION)],
    ),
    "something": (
        {
            "train.json": [
                {"id": "7", "label": "holding a cup", "template": "Holding [something]", "placeholders": []}
            ],
            "labels.json": {"Holding something": "0"},
            "20bn/7.webm": b"",
        },
        "something",
        [clip("20bn/7.webm", "Holding something", "holding a cup", split=Split.TRAIN)],
    ),
    "msrvtt": (
        {
            "train_val_videodatainfo.json": {
                "videos": [{"video_id": "video0", "split": "validate"}],
                "sentences": [{"video_id": "video0", "caption": "A cat."}, {"video_id": "video0", "caption": "Cats."}],
            },
            "v/video0.mp4": b"",
        },
        "msrvtt",
        [clip("v/video0.mp4", "", ("A cat.", "Cats."), split=Split.VALIDATION)],
    ),
    "vatex": (
        {"vatex_training_v1.0.json": [{"videoID": "k_1_000001_000011", "enCap": ["A cat.", "B"]}], "k_1.mp4": b""},
        "vatex",
        [replace(clip("k_1.mp4", "", ("A cat.", "B"), split=Split.TRAIN), span=Span(1, 11))],
    ),
    "webvid": (
        {
            "results_2M_train.csv": "videoid,contentUrl,duration,page_dir,name\n12,http://x/1,PT1S,d,A cat.\n",
            "d/12.mp4": b"",
        },
        "webvid",
        [clip("d/12.mp4", "", "A cat.", split=Split.TRAIN)],
    ),
    "webdataset": (
        {
            "s0/000.mp4": b"",
            "s0/000.cls": "cat",
            "s0/000.json": {"caption": "A cat."},
            "s1/000.mp4": b"",
            "s1/000.json": {"label": "dog", "caption": "A dog."},
        },
        "webdataset",
        [clip("s0/000.mp4", "cat", "A cat."), clip("s1/000.mp4", "dog", "A dog.")],
    ),
    "sidecars": (
        {"cats/a.mp4": b"", "cats/a.txt": " A cat.\n", "cats/b.mp4": b"", "cats/b.caption": "b"},
        "sidecars",
        [clip("cats/a.mp4", "cats", "A cat."), clip("cats/b.mp4", "cats", "b")],
    ),
    "folders": (
        {"d/train/cat/a.mp4": b"", "d/val/cat/b.mp4": b"", "README.md": "about"},
        "folders",
        [
            clip("d/train/cat/a.mp4", "cat", split=Split.TRAIN),
            clip("d/val/cat/b.mp4", "cat", split=Split.VALIDATION),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_layout_is_understood(tmp_path: Path, name: str) -> None:
    files, key, entries = CASES[name]
    seen = read(tmp_path, files)
    assert (seen.key, seen.entries) == (key, entries)
    assert summary(seen, Tree(tmp_path, files), ReadingOptions())["samples"][0]["file"] == entries[0].name
    # The same layout, asked for by name, reads the same.
    assert detect_layout(Tree(tmp_path, files), ReadingOptions(key)).entries == entries


def test_llama_factorys_own_demo_needs_no_edit() -> None:
    folder = next(
        (p / "shared/data/llamafactory_video_demo" for p in ROOT.parents if (p / "shared/data").is_dir()), None
    )
    if folder is None:
        pytest.skip("No ../shared/data/llamafactory_video_demo next to the project: this test reads it.")
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    seen = detect_layout(Tree(folder, names))
    assert seen.key == "sharegpt"
    assert [(e.name, e.prompt, e.caption, e.problem) for e in seen.entries] == [
        ("mllm_demo_data/1.mp4", "Why is this video funny?", "Because a baby is reading, and he is so cute!", ""),
        ("mllm_demo_data/2.avi", "What is she doing?", "She is cooking.", ""),
        ("mllm_demo_data/3.mp4", "What's in the video?", "A baby is playing in the living room.", ""),
    ]
    assert set(seen.files) == {"mllm_video_demo.json", "dataset_info.json"}


def test_missing_or_unnamed_files_are_reported(tmp_path: Path) -> None:
    files: Files = {
        "metadata.csv": "file_name,label\na.mp4,x\nb.mp4,y\na.mp4,z\n",
        "a.mp4": b"",
        "c.mp4": b"",
        "n.doc": b"",
    }
    seen = read(tmp_path, files)
    assert {entry.name: entry.problem for entry in seen.entries} == {
        "a.mp4": "",
        "b.mp4": "b.mp4 is named in metadata.csv but was not uploaded.",
        "c.mp4": "c.mp4 is not named in metadata.csv.",
    }
    assert [(group.kind.value, group.names, group.reason) for group in seen.not_used] == [
        ("file", ("c.mp4",), "It is not named in metadata.csv."),
        ("file", ("n.doc",), "It is neither a film, nor an archive, nor a text that describes films."),
        ("row", ("metadata.csv, line 3",), "The clip that it names was not uploaded."),
        ("row", ("metadata.csv, line 4",), "It gives a clip another label; the first one is used."),
    ]
    assert seen.notes == [
        "1 further line gives a clip another label; the first one is used: a.mp4 (x, then z)",
        "1 clip is named in metadata.csv but not uploaded: b.mp4",
    ]


BROKEN: list[tuple[Files, str]] = [
    ({"metadata.csv": "clip_id,words\n1,x\n", "a.mp4": b""}, "has the columns clip_id, words; it needs file_name"),
    ({"d.json": '[{"video": "a.mp4",\n', "a.mp4": b""}, "d.json is not valid JSON (line 2)."),
    ({"d.json": "[" * 100_000, "a.mp4": b""}, "d.json is "),
    ({"d.jsonl": '{"video": "a.mp4"\n{}', "a.mp4": b""}, "d.jsonl is not valid JSON in line 1."),
    ({"metadata.csv": b"PK\x00\x00" * 9, "a.mp4": b""}, "metadata.csv is not text."),
    ({"metadata.parquet": b"PAR1", "a.mp4": b""}, "no Parquet table that can be read"),
    (
        {"metadata.csv": "file_name,label\ngone.mp4,x\n", "a.mp4": b""},
        "none of them was uploaded (the first is gone.mp4)",
    ),
    ({"metadata.csv": "file_name,label\n../../etc/passwd,x\n", "a.mp4": b""}, "none of them was uploaded"),
]


@pytest.mark.parametrize(("files", "sentence"), BROKEN)
def test_a_describing_file_that_cannot_be_used_gets_its_sentence(tmp_path: Path, files: Files, sentence: str) -> None:
    seen = read(tmp_path, files)
    assert seen.key == "folders"
    assert sentence in seen.notes[0]


SHAPES: list[object] = [
    {},
    [],
    [1, "a"],
    [[]],
    None,
    "text",
    [{"messages": 7, "videos": {"a": 1}}],
    [{"video": [[]], "conversations": [1]}],
    [{"messages": [{"role": None, "content": [None, 7, {"type": None}]}], "videos": [None]}],
    {"sentences": [None, {"video_id": []}], "videos": 7},
    [{"videoID": None, "enCap": None}],
    [{"id": [], "template": {}}],
    {"d.json": {"file_name": "d.json", "columns": 3, "tags": []}},
    [{"file_name": {"a": 1}, "label": ["x"]}],
]


@pytest.mark.parametrize("value", SHAPES)
@pytest.mark.parametrize("name", ["d.json", "metadata.jsonl", "dataset_info.json", "d.csv"])
def test_json_of_any_shape_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object, name: str
) -> None:
    monkeypatch.setattr(detect.log, "exception", pytest.fail)
    seen = read(tmp_path, {name: json.dumps(value), "cat/a.mp4": b"", "cat/a.json": json.dumps(value)})
    assert "cat/a.mp4" in {entry.name for entry in seen.entries}


def table(columns: dict[str, list[object]]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), sink, compression="zstd")
    return sink.getvalue()


def test_a_videofolder_described_by_parquet(tmp_path: Path) -> None:
    said = table({"file_name": ["a.mp4", "b.mp4"], "text": ["A cat.", "A dog."], "split": ["train", "test"]})
    seen = read(tmp_path, {"metadata.parquet": said, "a.mp4": b"", "b.mp4": b""})
    assert (seen.key, seen.files) == ("videofolder", ["metadata.parquet"])
    assert seen.columns == {"file": "file_name", "caption": "text", "split": "split"}
    assert seen.entries == [
        clip("a.mp4", caption="A cat.", split=Split.TRAIN),
        clip("b.mp4", caption="A dog.", split=Split.VALIDATION),
    ]


def test_parquet_as_the_datasets_library_writes_it(tmp_path: Path) -> None:
    """The film's column is {bytes, path}: what lies inside the table is left there, the path is its name."""
    films: list[object] = [{"bytes": b"x" * 1_000, "path": "a.mp4"}, {"bytes": None, "path": "b.mp4"}]
    said = table({"video": films, "label": ["cat", "dog"], "thumb": [b"jpeg", b"jpeg"], "when": [None, None]})
    seen = read(tmp_path, {"data/train.parquet": said, "data/a.mp4": b"", "data/b.mp4": b""})
    assert [(entry.name, entry.label, entry.split) for entry in seen.entries] == [
        ("data/a.mp4", "cat", Split.TRAIN),
        ("data/b.mp4", "dog", Split.TRAIN),
    ]


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:40] + b"\xff" * 40 + data[80:]])
def test_a_damaged_parquet_is_a_sentence(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    said = damage(table({"file_name": [f"{i}.mp4" for i in range(90)], "label": ["cat"] * 90}))
    seen = read(tmp_path, {"metadata.parquet": said, "0.mp4": b""})
    assert any("metadata.parquet is no Parquet table" in note for note in seen.notes)


def test_a_parquet_that_says_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes that unpack to many: counted while they come."""
    monkeypatch.setattr(tree_module, "MAX_TEXT_BYTES", 2**20)
    bomb = table({"file_name": ["a.mp4"] * 100_000, "label": ["cat" * 10] * 100_000})
    assert len(bomb) < 50_000
    seen = read(tmp_path, {"metadata.parquet": bomb, "a.mp4": b""})
    assert any("says more than 1 MB" in note for note in seen.notes)


def test_text_in_other_encodings(tmp_path: Path) -> None:
    seen = read(
        tmp_path, {"a.mp4": b"", "a.txt": "Grüße".encode("utf-16"), "b.mp4": b"", "b.txt": "Grüße".encode("cp1252")}
    )
    assert [entry.caption for entry in seen.entries] == ["Grüße", "Grüße"]
    assert [note for note in seen.notes if note.startswith("b.txt is not UTF-8: read as Windows-1252.")]
    assert not any("a.txt" in note for note in seen.notes)


def test_captions_lose_what_cannot_be_seen(tmp_path: Path) -> None:
    seen = read(tmp_path, {"a.mp4": b"", "a.txt": "evil\u202e txt\x07 <script>alert(1)</script>"})
    assert seen.entries[0].caption == "evil txt <script>alert(1)</script>"


def test_names_match_in_either_unicode_form(tmp_path: Path) -> None:
    """A Mac's archive says u and two dots where a table says ü."""
    seen = read(tmp_path, {"metadata.csv": "file_name,label\nGr\u00fcn/\u00fc.mp4,x\n", "Gru\u0308n/u\u0308.mp4": b""})
    assert [(entry.name, entry.label) for entry in seen.entries] == [("Gru\u0308n/u\u0308.mp4", "x")]
    assert read(tmp_path, {"Gru\u0308n/a.mp4": b""}).entries[0].label == "Gr\u00fcn"


TABLE = "clip_path,what,who,part\na/1.mp4,a cat sits,cat,train\nb/2.mp4,a dog runs,dog,val\n"


def test_columns_can_be_given(tmp_path: Path) -> None:
    files: Files = {"t.csv": TABLE, "a/1.mp4": b"", "b/2.mp4": b""}
    assert read(tmp_path, files).key == "folders"
    reading = ReadingOptions("videofolder", {"file": "clip_path", "caption": "what", "label": "who", "split": "part"})
    seen = detect_layout(Tree(tmp_path, files), reading)
    assert seen.columns == {"file": "clip_path", "caption": "what", "label": "who", "split": "part"}
    assert seen.entries == [
        clip("a/1.mp4", "cat", "a cat sits", split=Split.TRAIN),
        clip("b/2.mp4", "dog", "a dog runs", split=Split.VALIDATION),
    ]
    said = summary(seen, Tree(tmp_path, files), reading)
    assert said["choices"] == {"columns": ["clip_path", "what", "who", "part"], "folders": ["a"]}
    assert said["reading"]["columns"]["caption"] == "what"
    alone = detect_layout(Tree(tmp_path, files), replace(reading, ignore_splits=True))
    assert {entry.split for entry in alone.entries} == {Split.AUTO}


def test_the_class_may_be_a_folder_further_up(tmp_path: Path) -> None:
    files: Files = {"cat/monday/1.mp4": b"", "dog/monday/2.mp4": b""}
    assert {entry.label for entry in read(tmp_path, files).entries} == {"monday"}
    seen = detect_layout(Tree(tmp_path, files), ReadingOptions("folders", level=2))
    assert [entry.label for entry in seen.entries] == ["cat", "dog"]


def test_a_layout_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    files: Files = {"t.csv": TABLE, "a/1.mp4": b""}
    read(tmp_path, files)
    with pytest.raises(Invalid, match="cannot be read as: MSR-VTT"):
        detect_layout(Tree(tmp_path, files), ReadingOptions("msrvtt"))


@pytest.mark.parametrize(
    "values", [{"layout": "nonsense"}, {"columns": {"who": "x"}}, {"columns": 3}, {"level": 0}, {"level": "two"}]
)
def test_a_nonsense_reading_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        parse_reading_options(values, detect.LAYOUTS)
