"""Random uploads and tables against an oracle: a label stands on the clip that its row was written for, or nowhere."""

import string
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_folders import find_frame_folders
from orchestrator.services.datasets.ingest.layouts.tree import Tree

FOLDERS = st.sampled_from(["", "a", "b", "A", "a/b", "b/a", "cam 1", "c,d", "é"])
NAMES = st.sampled_from(["0", "1", "01", "v0", "v0.1", "V0", "clip 1", "x;y", "été"])
ENDINGS = st.sampled_from([".mp4", ".MP4", ".webm"])
CLIPS = st.lists(
    st.tuples(FOLDERS, NAMES, ENDINGS).map(lambda parts: f"{parts[0]}/{parts[1]}{parts[2]}".lstrip("/")),
    min_size=2,
    max_size=8,
    unique_by=lambda name: name.rpartition(".")[0].lower(),
)
ROOTS = st.sampled_from(["", "/data/set/", "./", "C:\\films\\", "videos/"])


def labelled(layout: DetectedLayout) -> dict[str, tuple[str, ...]]:
    return {entry.name: entry.annotations.labels for entry in layout.entries if not entry.problem}


def read(files: dict[str, str], names: list[str]) -> DetectedLayout:
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        everything = [*names, *files]
        return detect_layout(Tree(Path(folder), everything, find_frame_folders(everything)))


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(CLIPS, ROOTS, st.booleans(), st.data())
def test_no_row_of_a_table_takes_the_clip_of_another(
    clips: list[str], root: str, keep: bool, data: st.DataObject
) -> None:
    """Rows name each clip by its whole path; some clips were not uploaded."""
    missing = set() if keep else data.draw(st.sets(st.sampled_from(clips), max_size=len(clips) - 1))
    label_of = {clip: f"class {string.ascii_letters[number]}" for number, clip in enumerate(clips)}
    stated = {clip: root + (clip.replace("/", "\\") if root.startswith("C:") else clip) for clip in clips}
    rows = "".join(f"{quoted(stated[clip])},{label}\n" for clip, label in label_of.items())
    found = labelled(read({"labels.csv": f"video,label\n{rows}"}, [clip for clip in clips if clip not in missing]))
    assert {clip: labels for clip, labels in found.items() if labels and labels != (label_of[clip],)} == {}
    if keep:
        assert found == {clip: (label,) for clip, label in label_of.items()}


@SETTINGS
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=2, max_size=6, unique=True),
    st.integers(2, 5),
    st.booleans(),
    st.data(),
)
def test_no_line_of_a_frame_list_takes_the_folder_of_another(
    films: list[tuple[str, int]], pictures: int, keep: bool, data: st.DataObject
) -> None:
    """Folders of equal names in several classes, in a list of mmaction; some were not uploaded."""
    missing = set() if keep else data.draw(st.sets(st.sampled_from(films), max_size=len(films) - 1))
    there = [film for film in films if film not in missing]
    names = [f"raw/{label}/v{number}/img_{i:05}.jpg" for label, number in there for i in range(1, pictures + 1)]
    lines = "".join(f"{label}/v{number} {pictures} {100 + place}\n" for place, (label, number) in enumerate(films))
    found = labelled(read({"train.txt": lines}, names))
    class_of = {f"raw/{label}/v{number}.mov": str(100 + place) for place, (label, number) in enumerate(films)}
    folder_of = {name: name.split("/")[1] for name in class_of}
    wrong = {name: labels for name, labels in found.items() if labels not in ((class_of[name],), (folder_of[name],))}
    assert wrong == {}
    assert set(found) == {f"raw/{label}/v{number}.mov" for label, number in there}


@SETTINGS
@given(st.lists(st.tuples(st.text(string.digits, min_size=1, max_size=4), st.booleans()), min_size=2, max_size=12))
def test_the_frames_of_a_film_are_in_the_order_of_their_numbers(pictures: list[tuple[str, bool]]) -> None:
    names = list(dict.fromkeys(f"v/img_{number}.{'jpg' if is_jpg else 'png'}" for number, is_jpg in pictures))
    found = find_frame_folders(names)
    for folder in found.films.values():
        numbers = [int(name[len("v/img_") : -4]) for name in folder.pictures]
        assert numbers == sorted(set(numbers)) == list(folder.numbers)
        assert len({name[-4:] for name in folder.pictures}) == 1
    used = {name for folder in found.films.values() for name in folder.pictures}
    assert used.isdisjoint(found.left_out)
