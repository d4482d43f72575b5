"""The right outcome of each case of strangers' files, which lie beside this checkout and are no part of it.

One table for the bench `strangers` and for the tests. A case with several outcomes is right with any of them: the first
is wanted, the others are acceptable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.tasks import Task
from orchestrator.settings import ROOT

FOLDER = ROOT.parent / "shared" / "cases" / "datasets"
ABSENT = "The shared cases are not beside this checkout."
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Film:
    """What the probe must find: frames within `give`, seconds from `shortest` to `longest`, and the frames' size."""

    frames: int
    shortest: float
    longest: float
    width: int = 64
    height: int = 48
    give: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case must become; None where it does not matter.

    Attributes:
        labels: clips by label; several labels of one clip are sorted and joined by commas.
        texts: how often each caption or answer is there, over all clips in use.
        text_count: how many captions and answers there are.
        questions: every question, with its options and its instruction.
        splits: clips by split.
        spans: (film without its ending, start, end, label or text) of each clip that is a part of a film.
        films: what the probe must find, by name.
        words: what the error, the notes or the list of what is not used must say.
    """

    clips: int | None = None
    labels: Counts | None = None
    texts: Counts | None = None
    text_count: int | None = None
    questions: frozenset[str] | None = None
    splits: Counts | None = None
    spans: frozenset[tuple[str, float, float, str]] | None = None
    films: Mapping[str, Film] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    status: str = "ready"


@dataclass(frozen=True, slots=True)
class Case:
    """One dataset: a folder or an archive."""

    task: Task
    right: tuple[Outcome, ...]


def _c(*right: Outcome) -> Case:
    return Case(Task.CLASSIFICATION, right)


def _p(*right: Outcome) -> Case:
    return Case(Task.CAPTIONING, right)


def _refused(*words: str) -> Outcome:
    return Outcome(words=words, status="error")


def _once(*texts: str) -> dict[str, int]:
    return dict.fromkeys(texts, 1)


def _runs(count: int) -> Film:
    return Film(count, 1.94, 2.06)


_CAT_DOG, _GREEN_DOG, _TWO_CLASSES = {"cat": 2, "dog": 2}, {"Grün": 2, "狗": 2}, {"run": 2, "jump": 2}
_THINGS = Outcome(texts=_once("Thing 0.", "Thing 1.", "Thing 2."), questions=frozenset({"What?"}))
_NINE = Outcome(clips=8, labels={"cat": 4, "dog": 4}, splits={"train": 6, "validation": 2})
_HORSES = {"riding horse": 2, "grooming horse": 2, "playing guitar": 2, "playing drums": 2}
_CAT_MAT = "A cat, sleeping, on a mat"

_JUMPS = ((0.5, 4.0, "Long jump"), (5.0, 9.0, "Running"))
_BALLS = ((0.2, 4.0, "A ball starts rolling."), (4.0, 9.9, "It jumps over a fence."))


def _segments(*spans: tuple[str, float, float, str], **more: object) -> Outcome:
    return Outcome(clips=len(spans), spans=frozenset(spans), **more)  # type: ignore[arg-type]


CASES: dict[str, Case] = {
    "01": _c(
        Outcome(
            clips=7,
            films={
                "trim_033.mp4": Film(12, 0.33, 0.47),
                "trim_033.mov": Film(12, 0.33, 0.47),
                "trim_half.mp4": Film(62, 2.0, 2.1),
            },
        )
    ),
    "02": _c(Outcome(clips=7, films=dict.fromkeys(("cover.mkv", "cover_last.mp4", "two_tracks.mp4"), _runs(60)))),
    "02b": _c(Outcome(clips=5, films={"udta_first.mp4": _runs(60)})),
    "03": _c(
        Outcome(
            clips=6,
            films={"cut_mid.ts": Film(44, 0.5, 4, 160, 120, give=2), "cut_late.ts": Film(32, 0.5, 4, 160, 120, give=2)},
        ),
        Outcome(clips=4, words=("beginning",)),
    ),
    "04": _c(Outcome(clips=6, films=dict.fromkeys(("vfr.mp4", "vfr.webm"), Film(70, 11.64, 12.36)))),
    "35": _c(Outcome(clips=7)),
    "38/trim": _c(Outcome(clips=5)),
    "38/flips": _c(Outcome(clips=8)),
    "06/mmaction": _c(
        Outcome(clips=6, labels={"1,3,5": 1, "1,2": 1, "2": 1, "2,5": 1, "3": 2}, splits={"train": 6}),
        Outcome(clips=3, words=("train_list.txt", "several labels")),
    ),
    "06/comma": _c(Outcome(clips=4, labels=_once("53,54,60", "53,60", "54", "53,54")), _refused("several labels")),
    "06/json": _c(
        Outcome(clips=4, labels={"jump,run": 1, "run": 1, "jump,sit": 1, "sit": 1}),
        _refused("annotations.json", "several labels"),
    ),
    "07/comma": _c(Outcome(clips=8, labels=_HORSES, splits={"train": 8})),
    "07/tab": _c(Outcome(clips=8, labels=_HORSES)),
    "07/header_txt": _c(Outcome(clips=4, labels={"riding horse": 2, "grooming horse": 2})),
    "07/captions_tab": _p(Outcome(texts=_once("a man, in red, walks 3", "a dog runs", "a cat sleeps on 2 mats"))),
    "08": _c(
        Outcome(
            clips=10,
            labels={"brush_hair": 5, "cartwheel": 5},
            splits={"train": 6, "validation": 4},
            words=("split2", "2 clips"),
        )
    ),
    "09/names_only": _c(_NINE),
    "09/stems": _c(_NINE),
    "10/kinetics_whole": _c(
        _segments(
            ("vid0", 0, 4, "run"),
            ("vid0", 5, 9, "jump"),
            ("vid1", 1, 4, "run"),
            ("vid1", 5, 9, "sit"),
            splits={"train": 4},
        )
    ),
    "10/csv_start_end": _c(
        _segments(("vid0", 0, 4, "run"), ("vid0", 5, 9, "jump"), ("vid1", 1, 4, "run"), ("vid1", 5, 9, "jump"))
    ),
    "10/activitynet": _c(
        _segments(
            *((f"v_{film}", start, end, text) for film in ("abc0", "abc1") for start, end, text in _JUMPS),
            splits={"train": 2, "validation": 2},
        )
    ),
    "10/anet_captions": _p(
        _segments(
            *((f"v_{film}", start, end, text) for film in ("abc0", "abc1") for start, end, text in _BALLS),
            splits={"train": 4},
        )
    ),
    "10/charades": _c(
        _segments(("AAAA1", 1.9, 4.2, "c092"), ("AAAA1", 0, 2.6, "c147"), ("BBBB2", 3, 9, "c061"), splits={"train": 3})
    ),
    "10/didemo": _p(
        _segments(
            ("0", 0, 10, "the dog looks up"), ("0", 15, 25, "the dog runs away"), ("1", 10, 15, "camera pans left")
        )
    ),
    "11/sharegpt": _p(
        Outcome(texts=_once("Yes, they do.", "A square.", "The second one.")),
        Outcome(clips=1, texts=_once("A square."), words=("data.json", "2")),
    ),
    "11/qwen": _p(Outcome(clips=1, words=("2 films",)), _refused("film")),
    "12/msrvtt20": _p(Outcome(clips=2, text_count=40), Outcome(words=("2 of 40",))),
    "12/llava_rows": _p(
        Outcome(
            clips=2,
            texts=_once(*(f"Answer {n} of {film}." for n in range(5) for film in range(2))),
            questions=frozenset(f"Question {n}?" for n in range(5)),
        )
    ),
    "12/multi_turn": _p(
        Outcome(
            clips=2,
            texts={f"A{n}.": 2 for n in range(4)},
            questions=frozenset(f"Q{n}?" for n in range(4)),
        )
    ),
    "12/csv_captions": _p(
        Outcome(clips=2, texts=_once(*(f"caption {n} of {film}" for n in range(5) for film in range(2))))
    ),
    "12/videochat2": _p(
        Outcome(
            clips=2,
            texts={f"It is {n}.": 2 for n in range(3)},
            questions=frozenset(f"Answer the question.\nWhat {n}?" for n in range(3)),
        ),
        _refused("train.json", "QA"),
    ),
    "12/system_prompt": _p(
        Outcome(texts=_once(*(f'{{"shape": {n}}}' for n in range(2))), words=("You only answer in JSON.",))
    ),
    "13/nextqa": _p(Outcome(texts=_once("roll the handle", "sip the tea"))),
    "13/nextqa_oe": _p(Outcome(texts=_once("roll the handle", "sip the tea"))),
    "13/msrvttqa": _p(Outcome(clips=2, texts=_once("bench", "robot", "dog"))),
    "13/qa_file_name": _p(Outcome(texts=_once("A square.", "A ball."))),
    "13/video_id_caption": _p(Outcome(texts=_once("A square moves.", "A ball moves."))),
    "14/same": _p(Outcome(texts=_once("A red square moves.", "A blue ball, jumping.", "A green thing."))),
    "14/uneven": _p(
        _refused("prompt.txt", "videos.txt", "2", "3"), Outcome(clips=2, words=("prompt.txt", "videos.txt"))
    ),
    "15/lines_in_json": _p(_THINGS),
    "15/array_in_jsonl": _p(_THINGS),
    "15/array_in_jsonl_pretty": _p(_THINGS),
    "15/wrapped": _p(_THINGS),
    "15/keyed": _p(Outcome(texts=_once("Thing 0.", "Thing 1.", "Thing 2."))),
    "15/keyed_dict": _p(Outcome(texts=_once("Thing 0.", "Thing 1.", "Thing 2."), splits={"train": 2, "validation": 1})),
    "16/jsonl": _p(Outcome(clips=3)),
    "16/csv": _p(Outcome(clips=3)),
    "16/list": _p(Outcome(clips=3)),
    "17/tsv_stray_quote": _p(
        Outcome(texts=_once("plain zero", '"Stop" says the sign', '"a man walks', "three", "four", '6" pipe rolls'))
    ),
    "17/csv_space_comma": _p(Outcome(texts=_once(_CAT_MAT, "A dog", 'A "big" bird'))),
    "17/csv_unquoted_comma": _p(
        Outcome(texts=_once(_CAT_MAT, "A dog", "A bird, flying")),
        Outcome(texts=_once("A dog"), words=("lines 2 and 4",)),
    ),
    "17/csv_backslash_quote": _p(Outcome(texts=_once('A man says "hello, you" and walks', "A dog", "A bird"))),
    "19/missing_folder": _c(Outcome(clips=4, labels={"alpha": 2, "beta": 2}, words=("A/003.mp4", "B/001.mp4"))),
    "19/camera": _c(Outcome(clips=4, labels={"walk": 2, "run": 2}, words=("not uploaded", "2"))),
    "21/dots": _p(Outcome(texts=_once("caption 0", "caption 1", "caption 2"))),
    "21/mp4_txt_double": _p(Outcome(texts=_once("caption 0", "caption 1", "caption 2"))),
    "21/captions_folder": _p(Outcome(texts=_once("caption 0", "caption 1", "caption 2"))),
    "27/rawframes": _c(
        Outcome(clips=4, labels=_TWO_CLASSES, splits={"train": 4}), _refused("picture", "ffmpeg", "rawframes")
    ),
    "27/swift_frames": _p(Outcome(texts=_once("Answer 0.", "Answer 1.")), _refused("picture", "ffmpeg")),
    "29/labelstudio_min": _c(Outcome(clips=4, labels=_TWO_CLASSES)),
    "29/labelstudio_full": _c(Outcome(clips=4, labels=_TWO_CLASSES)),
    "29/fiftyone": _c(Outcome(clips=4, labels=_TWO_CLASSES)),
    "33": _p(
        Outcome(
            texts=_once(
                *(f'He names <audio>, <video> and <image>, then <video controls src="a.mp4">. {n}' for n in range(2))
            ),
            questions=frozenset({"Which HTML elements does the lecturer name? Not <image>."}),
        )
    ),
    "37/csv": _c(Outcome(clips=6, labels={"a": 3, "b": 3}, splits={"train": 4, "validation": 2})),
    "37/json": _p(Outcome(clips=6, splits={"train": 4, "validation": 2})),
    "37/vatex": _p(Outcome(clips=4, text_count=40, splits={"train": 2, "validation": 2})),
    "37/sidecar_split": _p(Outcome(texts=_once(*(f"cap {n}" for n in range(4))), splits={"train": 2, "validation": 2})),
    "22/deflate64.zip": _c(Outcome(clips=4, labels=_GREEN_DOG), _refused("Deflate64", "7-Zip")),
    "24/zip_001": _c(Outcome(labels=_GREEN_DOG)),
    "24/part_aa": _c(Outcome(labels=_GREEN_DOG)),
    "24/z01": _c(Outcome(labels={"cat": 3, "dog": 3})),
    "25/zip_in_zip.zip": _c(Outcome(labels=_CAT_DOG)),
    "25/7z_in_zip.zip": _c(Outcome(labels=_CAT_DOG), _refused("7z")),
    "25/tarzst_in_zip.zip": _c(Outcome(labels=_CAT_DOG), _refused("zstd")),
    "25/zip_in_tar.tar": _c(Outcome(labels=_CAT_DOG)),
    "25/metadata_gz.zip": _p(Outcome(texts=_once("A red thing", "A blue thing"))),
    "25b/tar_with_zip_last.tar": _c(Outcome(clips=4, labels=_CAT_DOG)),
    "31/hard.tar": _c(Outcome(labels={"cat": 2, "dog": 2}), Outcome(labels={"cat": 3, "dog": 2})),
    "31/dead_symlink.tar": _c(Outcome(clips=4, words=("README",))),
    "31/symlink.zip": _c(Outcome(clips=4, words=("cat/link.mp4",)), Outcome(clips=5)),
}
"""By folder or archive."""
