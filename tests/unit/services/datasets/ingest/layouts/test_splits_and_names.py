"""Files as people have them whose names say what belongs together: splits, texts beside clips, folders of one name."""

from pathlib import Path

import pytest

from orchestrator.domain.annotations import Span
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.settings import ROOT

TRAIN, VALIDATION, AUTO = Split.TRAIN, Split.VALIDATION, Split.AUTO
Clips = dict[str, tuple[str, str, Split]]
"""(label, caption, split) of each clip in use."""


def detect(folder: Path, files: dict[str, str], *videos: str) -> DetectedLayout:
    for name, text in {**files, **dict.fromkeys(videos, "")}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return detect_layout(Tree(folder, [*files, *videos]))


def used(layout: DetectedLayout) -> Clips:
    return {entry.name: (entry.label, entry.caption, entry.split) for entry in layout.entries if not entry.problem}


def left_out(layout: DetectedLayout) -> list[str]:
    return [entry.name for entry in layout.entries if entry.problem]


ANIMALS = [f"videos/{kind}/{kind}{number}.mp4" for kind in ("cat", "dog") for number in range(4)]
HELD_OUT = ("videos/cat/cat3.mp4", "videos/dog/dog3.mp4")


@pytest.mark.parametrize(
    "files",
    [
        {
            "splits/train.txt": "".join(f"{name[7:]}\n" for name in ANIMALS if name not in HELD_OUT),
            "splits/val.txt": "cat/cat3.mp4\ndog/dog3.mp4\n",
        },
        {"train.txt": "cat0\ncat1\ncat2\ndog0\ndog1\ndog2", "test.txt": "cat3\r\ndog3\r\n"},
        {
            "train.csv": "video_name\ncat0\ncat1\ncat2\ndog0\ndog1\ndog2\n",
            "val_list.lst": "/data/cat3.mp4\n/data/dog3.mp4",
        },
        {
            "lists/train1.txt": "cat0\ncat1\ncat2\ndog0\ndog1\ndog2",
            "lists/test1.txt": "cat3\ndog3\n",
            "lists/train2.txt": "cat3\ncat1\ncat2\ndog3\ndog1\ndog2",
            "lists/test2.txt": "cat0\ndog0\n",
        },
    ],
)
def test_lists_that_only_name_clips_give_splits(tmp_path: Path, files: dict[str, str]) -> None:
    layout = detect(tmp_path, files, *ANIMALS)
    assert used(layout) == {
        name: (name.split("/")[1], "", VALIDATION if name in HELD_OUT else TRAIN) for name in ANIMALS
    }
    assert left_out(layout) == []
    assert set(layout.files) == set(files)
    assert any("lists/" in name for name in files) == any("several splits" in note for note in layout.notes)


@pytest.mark.parametrize(
    "files",
    [
        {"split.json": '{"train": ["cat/0.mp4", "dog/1.mp4"], "test": ["cat/2.mp4"]}'},
        {"train.json": '["cat/0.mp4", "dog/1"]', "val.json": '["cat/2.mp4"]'},
        {"splits.csv": "video,split\ncat/0.mp4,train\ncat/2.mp4,test\ndog/1.mp4,Train\n"},
    ],
)
def test_other_files_that_only_name_clips_and_splits(tmp_path: Path, files: dict[str, str]) -> None:
    layout = detect(tmp_path, files, "v/cat/0.mp4", "v/cat/2.mp4", "v/dog/1.mp4")
    assert used(layout) == {
        "v/cat/0.mp4": ("cat", "", TRAIN),
        "v/cat/2.mp4": ("cat", "", VALIDATION),
        "v/dog/1.mp4": ("dog", "", TRAIN),
    }
    assert left_out(layout) == []


def test_a_list_of_clips_that_were_not_uploaded_gets_its_sentence(tmp_path: Path) -> None:
    layout = detect(tmp_path, {"train.txt": "cat/8.mp4\ncat/9.mp4\n"}, "cat/0.mp4", "dog/1.mp4")
    assert left_out(layout) == []
    assert "2 clips are named in train.txt but not uploaded: cat/8.mp4" in layout.notes


def test_a_clip_in_the_tables_of_both_splits_is_not_trained_on(tmp_path: Path) -> None:
    table = "file_name,label\n0.mp4,a\n"
    layout = detect(tmp_path, {"train.csv": table + "1.mp4,b\n", "val.csv": table}, "0.mp4", "1.mp4")
    assert used(layout) == {"0.mp4": ("a", "", VALIDATION), "1.mp4": ("b", "", TRAIN)}
    assert "1 clip is named for training and for validation, and kept for validation: 0.mp4" in layout.notes


def test_two_tables_may_say_different_things_about_a_clip(tmp_path: Path) -> None:
    files = {"captions.csv": "file_name,caption\n0.mp4,A cat.\n", "labels.csv": "file_name,label\n0.mp4,cat\n"}
    layout = detect(tmp_path, files, "videos/0.mp4")
    assert used(layout) == {"videos/0.mp4": ("cat", "A cat.", AUTO)}
    assert layout.notes == []


def test_splits_below_class_folders(tmp_path: Path) -> None:
    layout = detect(tmp_path, {}, "cat/test/1.mp4", "cat/train/0.mp4", "dog/test/3.mp4", "dog/train/2.mp4")
    assert [clip[::2] for clip in used(layout).values()] == [
        ("cat", VALIDATION),
        ("cat", TRAIN),
        ("dog", VALIDATION),
        ("dog", TRAIN),
    ]


def test_notes_about_a_clip_outside_the_lists_and_one_in_both(tmp_path: Path) -> None:
    layout = detect(
        tmp_path, {"train.txt": "a\nb\nc\ngone", "val.txt": "c\n"}, "x/a.mp4", "x/b.mp4", "y/c.mp4", "y/d.mp4"
    )
    assert {name: clip[2] for name, clip in used(layout).items()} == {
        "x/a.mp4": TRAIN,
        "x/b.mp4": TRAIN,
        "y/c.mp4": VALIDATION,
        "y/d.mp4": AUTO,
    }
    assert layout.notes == [
        "1 clip is named in train.txt but not uploaded: gone",
        "1 clip is named in lists of both splits and kept for validation: y/c.mp4",
        "1 clip is in no list of a split, and may be used for training or validation: y/d.mp4",
    ]


def test_hmdb51s_official_lists(tmp_path: Path) -> None:
    uses = (1, 1, 1, 2, 2, 0)
    files, videos = {}, []
    for label in ("brush_hair", "cartwheel"):
        names = [f"film{number}_{label}_u_nm_np1_ba_goo_{number}.avi" for number in range(6)]
        videos += [f"hmdb51_org/{label}/{name}" for name in names]
        files[f"splits/{label}_test_split1.txt"] = "".join(f"{a} {use} \n" for a, use in zip(names, uses, strict=True))
        files[f"splits/{label}_test_split2.txt"] = "".join(f"{a} 1 \n" for a in names)
    layout = detect(tmp_path, files, *videos)
    assert layout.key == "hmdb51"
    assert used(layout) == {
        name: (name.split("/")[1], "", TRAIN if int(name[-5]) < 3 else VALIDATION)
        for name in videos
        if int(name[-5]) < 5
    }
    assert left_out(layout) == [name for name in videos if name[-5] == "5"]
    assert layout.notes == [
        "split1 is used; split2 is there as well, and not used.",
        "2 clips are left out, because split1 uses them neither for training nor for validation (0).",
    ]


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("annotations/train.csv", "annotations/val.csv"), True),
        (("Train.csv", "TEST.csv"), True),
        (("train/labels.csv", "dev/labels.csv"), True),
        (("trainval.csv", "train_val.csv"), False),
    ],
)
def test_tables_names_give_splits(tmp_path: Path, names: tuple[str, str], split: bool) -> None:
    files = {
        names[0]: "file_name,label\nvideos/0.mp4,a\nvideos/1.mp4,b\n",
        names[1]: "file_name,label\nvideos/4.mp4,a\n",
    }
    layout = detect(tmp_path, files, "videos/0.mp4", "videos/1.mp4", "videos/4.mp4", "videos/5.mp4")
    assert used(layout) == {
        "videos/0.mp4": ("a", "", TRAIN if split else AUTO),
        "videos/1.mp4": ("b", "", TRAIN if split else AUTO),
        "videos/4.mp4": ("a", "", VALIDATION if split else AUTO),
    }
    assert left_out(layout) == ["videos/5.mp4"]


def test_json_tables_and_vatex_give_splits_by_their_names(tmp_path: Path) -> None:
    files = {"train.json": '[{"video": "0.mp4", "caption": "A"}]', "test.json": '[{"video": "4.mp4", "caption": "B"}]'}
    layout = detect(tmp_path / "json", files, "videos/0.mp4", "videos/4.mp4")
    assert {name: clip[1:] for name, clip in used(layout).items()} == {
        "videos/0.mp4": ("A", TRAIN),
        "videos/4.mp4": ("B", VALIDATION),
    }
    files = {
        "vatex_training_v1.0.json": '[{"videoID": "id0_000001_000011", "enCap": ["A", "B"]}]',
        "vatex_validation_v1.0.json": '[{"videoID": "id1_000001_000011", "enCap": ["C", "D"]}]',
    }
    layout = detect(tmp_path / "vatex", files, "v/id0_000001_000011.mp4", "v/id1.mp4")
    assert used(layout) == {"v/id0_000001_000011.mp4": ("", "A", TRAIN), "v/id1.mp4": ("", "C", VALIDATION)}


def test_folders_keep_their_splits_where_one_clip_is_outside(tmp_path: Path) -> None:
    clips = ["train/cat/0.mp4", "train/dog/1.mp4", "val/cat/2.mp4", "val/dog/3.mp4", "more/cat/4.mp4"]
    layout = detect(tmp_path, {}, *clips)
    assert [(clip[0], clip[2]) for clip in used(layout).values()] == [
        ("cat", AUTO),
        ("cat", TRAIN),
        ("dog", TRAIN),
        ("cat", VALIDATION),
        ("dog", VALIDATION),
    ]
    assert layout.notes == [
        "1 clip is outside the folders of the splits, and may be used for training or validation: more/cat/4.mp4"
    ]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    layout = detect(tmp_path, {}, "bus/0.mp4", "train/0.mp4", "train_station/0.mp4")
    assert [clip[::2] for clip in used(layout).values()] == [("bus", AUTO), ("train", AUTO), ("train_station", AUTO)]


@pytest.mark.parametrize(
    ("videos", "texts"),
    [
        (["train/0.mp4", "val/2.mp4"], ["train/0.txt", "val/2.txt"]),
        (["train_videos/0.mp4", "val_videos/2.mp4"], ["train_videos/0.caption", "val_videos/2.mp4.txt"]),
        (["train/videos/0.mp4", "val/videos/0.mp4"], ["train/captions/0.txt", "val/captions/0.txt"]),
    ],
)
def test_captions_below_the_folders_of_splits(tmp_path: Path, videos: list[str], texts: list[str]) -> None:
    layout = detect(tmp_path, {texts[0]: "cap 0", texts[1]: "cap 2"}, *videos)
    assert [clip[1:] for clip in used(layout).values()] == [("cap 0", TRAIN), ("cap 2", VALIDATION)]
    assert left_out(layout) == []


@pytest.mark.parametrize(
    ("video", "text"),
    [
        ("shard/clip_1.{}.mp4", "shard/clip_1.{}.json"),
        ("shard/clip_1.{}.mp4", "shard/clip_1.{}.txt"),
        ("{}.mp4", "{}.mp4.txt"),
        ("{}.mp4", "{}.mp4.json"),
        ("{}.video.mp4", "{}.json"),
        ("videos/{}.mp4", "captions/{}.txt"),
        ("videos/cat/{}.mp4", "captions/cat/{}.txt"),
        ("{}.mp4", "captions/{}.txt"),
        ("videos/a.{}.mp4", "texts/a.{}.txt"),
    ],
)
def test_a_text_belongs_to_the_clip_of_its_name(tmp_path: Path, video: str, text: str) -> None:
    def content(number: int) -> str:
        return f'{{"caption": "caption {number}"}}' if text.endswith(".json") else f"caption {number}"

    layout = detect(
        tmp_path, {text.format(number): content(number) for number in range(3)}, *(video.format(i) for i in range(3))
    )
    assert {name: clip[1] for name, clip in used(layout).items()} == {
        video.format(number): f"caption {number}" for number in range(3)
    }
    assert left_out(layout) == []


def test_a_text_that_two_clips_could_have_is_given_to_neither(tmp_path: Path) -> None:
    files = {"captions/0.txt": "zero", "captions/1.txt": "one", "captions/2.txt": "two"}
    layout = detect(tmp_path, files, "a/0.mp4", "b/0.mp4", "a/1.mp4", "b/2.mp4")
    assert {name: clip[1] for name, clip in used(layout).items()} == {
        "a/0.mp4": "",
        "b/0.mp4": "",
        "a/1.mp4": "one",
        "b/2.mp4": "two",
    }


NEXT_QA = (
    "video,frame_count,question,answer,qid,type,a0,a1,a2,a3,a4\n"
    "100001,24,how does it play,0,6,CH,roll the handle,tap,strum,hit,pat\n"
    "100002,24,what did they do,4,2,TN,eat,walk,fight,sing,sip the tea\n"
)


@pytest.mark.parametrize(
    ("table", "videos", "expected"),
    [
        (
            ("train.csv", NEXT_QA),
            ["NExTVideo/11/100001.mp4", "NExTVideo/11/100002.mp4"],
            [
                ("how does it play\nA. roll the handle\nB. tap\nC. strum\nD. hit\nE. pat", "roll the handle"),
                ("what did they do\nA. eat\nB. walk\nC. fight\nD. sing\nE. sip the tea", "sip the tea"),
            ],
        ),
        (
            ("train.csv", "video,question,answer,qid\n1,what,roll the handle,6\n2,why,thirst,2\n"),
            ["v/1.mp4", "v/2.mp4"],
            [("what", "roll the handle"), ("why", "thirst")],
        ),
        (
            ("qa.json", '[{"clip_path": "1.mp4", "Question": "what", "choices": ["a", "b"], "answer": "B"}]'),
            ["v/1.mp4"],
            [("what\nA. a\nB. b", "b")],
        ),
        (
            ("train_qa.json", '[{"answer": "bench", "id": 1, "question": "where?", "video_id": 6513}]'),
            ["v/video6513.mp4"],
            [("where?", "bench")],
        ),
        (("metadata.csv", "File Name,question,answer\n0.mp4,What?,A ball.\n"), ["0.mp4"], [("What?", "A ball.")]),
        (
            ("captions.csv", "video_id,caption\nv0,A square.\nv1,A ball.\n"),
            ["a/v0.mp4", "a/v1.mp4"],
            [("", "A square."), ("", "A ball.")],
        ),
    ],
)
def test_known_columns(
    tmp_path: Path, table: tuple[str, str], videos: list[str], expected: list[tuple[str, str]]
) -> None:
    layout = detect(tmp_path, {table[0]: table[1]}, *videos)
    assert [entry.name for entry in layout.entries] == videos
    assert [(entry.prompt, entry.caption, entry.problem) for entry in layout.entries] == [(*e, "") for e in expected]


def test_an_answer_that_names_no_option_is_no_caption(tmp_path: Path) -> None:
    table = "video,question,answer,a0,a1\n1,what,7,x,y\n2,what,1,x,y\n"
    layout = detect(tmp_path, {"train.csv": table}, "1.mp4", "2.mp4")
    assert [entry.caption for entry in layout.entries] == ["", "y"]


@pytest.mark.parametrize(
    "table",
    [
        "video,start,end,label\nvid0.mp4,0,4,run\nvid0.mp4,5,9,jump\n",
        "label,youtube_id,time_start,time_end,split\nrun,vid0,0,4,train\njump,vid0,5,9,train\n",
    ],
)
def test_the_times_of_a_row_make_a_clip_of_its_own(tmp_path: Path, table: str) -> None:
    layout = detect(tmp_path, {"annotations.csv": table}, "videos/vid0.mp4")
    assert [(entry.name, entry.span, entry.label) for entry in layout.entries] == [
        ("videos/vid0.mp4", Span(0, 4), "run"),
        ("videos/vid0.mp4", Span(5, 9), "jump"),
    ]


RIGHT: list[tuple[str, int, int, int, set[str]]] = [
    # case, clips for training, for validation, without a split; the clips that are left out
    ("08", 6, 4, 0, {f"hmdb51_org/{c}/film5_{c}_u_nm_np1_ba_goo_5.avi" for c in ("brush_hair", "cartwheel")}),
    ("09/names_only", 6, 2, 0, set()),
    ("09/stems", 6, 2, 0, set()),
    ("19/missing_folder", 0, 0, 4, {"A/003.mp4", "B/001.mp4"}),
    ("19/camera", 0, 0, 4, {"cam3/clip0.mp4", "cam3/clip1.mp4"}),
    ("21/dots", 0, 0, 3, set()),
    ("21/mp4_txt_double", 0, 0, 3, set()),
    ("21/captions_folder", 0, 0, 3, set()),
    ("13/nextqa", 2, 0, 0, set()),
    ("13/nextqa_oe", 2, 0, 0, set()),
    ("13/msrvttqa", 2, 0, 0, set()),
    ("13/qa_file_name", 0, 0, 2, set()),
    ("13/video_id_caption", 0, 0, 2, set()),
    ("37/csv", 4, 2, 0, set()),
    ("37/json", 4, 2, 0, set()),
    ("37/vatex", 2, 2, 0, set()),
    ("37/sidecar_split", 2, 2, 0, set()),
]


@pytest.mark.parametrize(("case", "training", "validation", "auto", "out"), RIGHT)
def test_files_of_public_reports(case: str, training: int, validation: int, auto: int, out: set[str]) -> None:
    folder = next((p / "shared/cases/datasets" / case for p in ROOT.parents if (p / "shared/cases").is_dir()), None)
    if folder is None or not folder.is_dir():
        pytest.skip("No ../shared/cases/datasets next to the project: this test reads its small inputs.")
    layout = detect_layout(Tree(folder, [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")]))
    clips = used(layout)
    splits = [split for _, _, split in clips.values()]
    assert [splits.count(split) for split in (TRAIN, VALIDATION, AUTO)] == [training, validation, auto]
    assert set(left_out(layout)) == out
    assert all(label or caption for label, caption, _ in clips.values())
