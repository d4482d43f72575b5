"""A row of an annotation file takes the clip that it names, and never another one."""

import time
import tracemalloc

import pytest

from orchestrator.services.datasets.ingest.layouts.matching import ClipIndex, ClipMatch, NamedClip, match_clips


def found(videos: list[str], stated: list[str], file: str = "metadata.csv") -> list[str]:
    return [match.name for match in match_clips(ClipIndex(videos), [NamedClip(file, (name,)) for name in stated])]


@pytest.mark.parametrize(
    ("videos", "stated", "expected"),
    [
        # The folder of the same name is missing: another folder's clip of the same name is not taken.
        (
            ["A/001.mp4", "A/002.mp4", "B/002.mp4", "B/003.mp4"],
            ["A/001.mp4", "A/002.mp4", "A/003.mp4", "B/001.mp4", "B/002.mp4", "B/003.mp4"],
            ["A/001.mp4", "A/002.mp4", "", "", "B/002.mp4", "B/003.mp4"],
        ),
        # Without a row that names B/003.mp4 itself.
        (["A/001.mp4", "B/003.mp4"], ["A/001.mp4", "A/003.mp4"], ["A/001.mp4", ""]),
        # A whole folder is missing, and several others have clips of these names.
        (
            ["cam1/0.mp4", "cam1/1.mp4", "cam2/0.mp4", "cam2/1.mp4"],
            ["cam1/0.mp4", "cam3/0.mp4", "cam3/1.mp4", "cam2/0.mp4"],
            ["cam1/0.mp4", "", "", "cam2/0.mp4"],
        ),
        # The same below folders of another machine, and with further folders in the upload.
        (["A/1.mp4", "B/3.mp4"], ["/data/A/1.mp4", "/data/A/3.mp4"], ["A/1.mp4", ""]),
        (["up/A/1.mp4", "up/B/3.mp4"], ["/data/A/1.mp4", "/data/A/3.mp4"], ["up/A/1.mp4", ""]),
        # All folders differ: the names decide where they are the only ones.
        (["in/x.mp4", "in/y.mp4"], ["/data/x.mp4", "/data/y.mp4"], ["in/x.mp4", "in/y.mp4"]),
        (["films/1.mp4", "films/2.mp4"], ["train/1.mp4", "val/2.mp4"], ["films/1.mp4", "films/2.mp4"]),
        (["films/1.mp4", "films/2.mp4"], ["A/1.mp4", "B/1.mp4", "A/2.mp4"], ["", "", "films/2.mp4"]),
        # An exact path before one that differs in case, and both before a longer path with the same end.
        (["a/x.mp4", "A/x.mp4", "b/A/x.mp4"], ["A/x.mp4", "a/x.mp4"], ["A/x.mp4", "a/x.mp4"]),
        (["A/X.MP4", "b/a/x.mp4"], ["a/x.mp4"], ["A/X.MP4"]),
        (["p/cam1/0.mp4", "p/cam2/0.mp4"], ["/q/cam2/0.mp4"], ["p/cam2/0.mp4"]),
        (["p/Cam/0.mp4", "p/cam/0.mp4"], ["/q/cam/0.mp4"], ["p/cam/0.mp4"]),
        # A bare name that several folders have means none of them.
        (["A/0.mp4", "B/0.mp4", "B/1.mp4"], ["0.mp4", "1.mp4"], ["", "B/1.mp4"]),
        (["A/0.avi", "A/0.mp4"], ["0", "0.mp4"], ["", "A/0.mp4"]),
        (["../a.mp4", "x/b.mp4"], ["C:\\films\\b.mp4", "b"], ["x/b.mp4", "x/b.mp4"]),
    ],
)
def test_a_row_takes_the_clip_it_names(videos: list[str], stated: list[str], expected: list[str]) -> None:
    assert found(videos, stated) == expected
    assert found(videos, stated[::-1]) == expected[::-1], "the order of the rows changes nothing"


def test_a_file_that_names_clips_from_its_own_folder_means_none_outside() -> None:
    videos = ["train/0.mp4", "val/0.mp4", "val/1.mp4"]
    assert found(videos, ["0.mp4", "1.mp4"], "train/metadata.csv") == ["train/0.mp4", ""]
    assert found(videos, ["../val/1.mp4"], "train/metadata.csv") == ["val/1.mp4"]


def test_an_unclear_row_lists_what_it_may_mean() -> None:
    rows = [NamedClip("m.csv", ("0.mp4",)), NamedClip("m.csv", ("c/7.mp4",)), NamedClip("m.csv", ("d/7.mp4",))]
    assert match_clips(ClipIndex(["A/0.mp4", "B/0.mp4", "7.mp4"]), rows) == [
        ClipMatch(several=("A/0.mp4", "B/0.mp4")),
        ClipMatch(contested="7.mp4"),
        ClipMatch(contested="7.mp4"),
    ]


def test_a_missing_folder_is_not_called_unclear() -> None:
    rows = [NamedClip("m.csv", ("a/0.mp4",)), NamedClip("m.csv", ("c/0.mp4",))]
    assert match_clips(ClipIndex(["a/0.mp4", "b/0.mp4"]), rows) == [ClipMatch("a/0.mp4"), ClipMatch()]


def test_two_files_may_write_the_path_of_a_clip_differently() -> None:
    index = ClipIndex(["videos/0.mp4"])
    rows = [NamedClip("captions.csv", ("0.mp4",)), NamedClip("labels.csv", ("/data/videos/0.mp4",))]
    assert [match.name for match in match_clips(index, rows)] == ["videos/0.mp4", "videos/0.mp4"]


def test_many_clips_of_one_name_are_found_in_linear_time() -> None:
    videos = [f"up/{i:05d}/video.mp4" for i in range(20_000)]
    start = time.perf_counter()
    assert found(videos, [f"{i:05d}/video.mp4" for i in range(20_000)]) == videos
    assert not any(found(videos, [f"gone{i:05d}/video.mp4" for i in range(20_000)]))
    assert time.perf_counter() - start < 200  # quadratic would take an hour


def test_an_index_takes_few_bytes_for_a_clip() -> None:
    videos = [f"clips/{number // 1_000:03}/{number:06}.mp4" for number in range(5_000)]
    tracemalloc.start()
    try:
        index = ClipIndex(videos)
        assert [index.at(name) for name in (videos[7], "clips/003/003001", "clips/3/003001")] == [
            videos[7],
            "clips/003/003001.mp4",
            "",
        ]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(videos) < 400
    assert index.in_folder(("x", "003", "003001.MP4")) == index.named("003001") == ["clips/003/003001.mp4"]
