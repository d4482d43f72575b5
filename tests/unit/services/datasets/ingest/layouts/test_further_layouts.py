"""Layouts of public sets and of labelling tools, each by its content: what a stranger's export says about each clip."""

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions
from orchestrator.services.datasets.ingest.layouts.tree import Tree

Clips = list[tuple[str, tuple[float, float] | None, Any, str]]


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads an upload of these clips (names only) and these annotation files."""

    def layout(clips: list[str], files: dict[str, Any], options: ReadingOptions | None = None) -> DetectedLayout:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return detect_layout(Tree(tmp_path, [*clips, *files]), options)

    return layout


def used(layout: DetectedLayout) -> Clips:
    """(name, span, annotations, split) of each usable entry; annotations without empty lists."""
    return [
        (
            entry.name,
            (entry.span.start_s, entry.span.end_s) if entry.span else None,
            entry.annotations.to_json(),
            entry.split.value,
        )
        for entry in layout.entries
        if not entry.problem
    ]


def labels(*names: str) -> dict[str, tuple[str, ...]]:
    return {"labels": names}


def captions(*texts: str) -> dict[str, tuple[str, ...]]:
    return {"captions": texts}


def test_activitynet_gives_each_segment_its_label(read: Any) -> None:
    database = {
        "abc": {"subset": "training", "annotations": [{"segment": [0.5, 4], "label": "Long jump"}]},
        "def": {"subset": "validation", "annotations": [{"segment": [5, 2], "label": "Running"}]},
        "ghi": {"subset": "testing", "annotations": []},
    }
    layout = read(["v/v_abc.mp4", "v/def.mkv", "v/v_ghi.mp4"], {"anet.json": {"version": "1", "database": database}})
    assert layout.key == "activitynet"
    assert used(layout) == [("v/v_abc.mp4", (0.5, 4.0), labels("Long jump"), "train")]
    assert any("1 film has no segments" in note for note in layout.notes)
    assert any("no part of a film" in note and "def.mkv" in note for note in layout.notes)


def test_activitynet_captions_name_films_whose_lists_differ_in_length(read: Any) -> None:
    films = {
        "v_abc": {"timestamps": [[0, 2], [2, 4.5]], "sentences": ["One.", " Two."]},
        "v_def": {"timestamps": [[0, 2]], "sentences": ["One.", "Two."]},
    }
    layout = read(["abc.mp4", "def.mp4"], {"val_1.json": films})
    assert used(layout) == [
        ("abc.mp4", (0.0, 2.0), captions("One."), "validation"),
        ("abc.mp4", (2.0, 4.5), captions("Two."), "validation"),
    ]
    assert any("not as many sentences" in note for note in layout.notes)


def test_charades_names_its_classes(read: Any) -> None:
    table = 'id,script,actions\nAAAA1,"He runs, then sits.",c001 1.5 4.0;c000 0 2.5;nonsense\nBBBB2,,\n'
    classes = "c000 Holding a box\nc001 Opening a door\n"
    layout = read(["AAAA1.mp4", "BBBB2.mp4"], {"Charades_v1_train.csv": table, "Charades_v1_classes.txt": classes})
    assert layout.key == "charades"
    assert used(layout) == [
        ("AAAA1.mp4", (1.5, 4.0), labels("Opening a door"), "train"),
        ("AAAA1.mp4", (0.0, 2.5), labels("Holding a box"), "train"),
        ("AAAA1.mp4", None, captions("He runs, then sits."), "train"),
    ]
    assert any(note.startswith("1 action is not written") for note in layout.notes)


def test_charades_sta_keeps_the_text_after_the_marks(read: Any) -> None:
    layout = read(["A.mp4"], {"charades_sta_test.txt": "A 0.0 6.5##person opens ## a box.\nA 7 9##person sits.\n"})
    assert used(layout) == [
        ("A.mp4", (0.0, 6.5), captions("person opens ## a box."), "validation"),
        ("A.mp4", (7.0, 9.0), captions("person sits."), "validation"),
    ]


def test_didemo_takes_the_times_that_most_people_gave(read: Any) -> None:
    rows = [
        {"video": "0.mp4", "description": "a dog", "times": [[0, 0], [1, 2], [1, 2]], "num_segments": 6},
        {"video": "0.mp4", "description": "a cat", "times": [[5, 5], [5, 5]], "num_segments": 6},
    ]
    layout = read(["0.mp4"], {"train_data.json": rows})
    assert [(span, text["captions"]) for _, span, text, _ in used(layout)] == [
        ((5.0, 15.0), ("a dog",)),
        ((25.0, 30.0), ("a cat",)),
    ]
    assert any("1 sentence do not agree" in note for note in layout.notes)


def test_epic_kitchens_has_actions_by_the_clock(read: Any) -> None:
    table = (
        "narration_id,video_id,start_timestamp,stop_timestamp,narration,verb,noun\n"
        "P01_01_0,P01_01,00:00:01.089,00:01:02.5,take the plate,take,plate\n"
    )
    layout = read(["P01/P01_01.MP4"], {"EPIC_100_train.csv": table})
    assert used(layout) == [
        ("P01/P01_01.MP4", (1.089, 62.5), labels("take plate") | captions("take the plate"), "train")
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [{"video": "0.mp4", "QA": [{"q": "What?", "a": "It."}, {"q": "Who?", "a": "She."}]}],
        [{"video_id": "0", "q": "What?", "a": "It."}, {"video_id": "0", "q": "Who?", "a": "She."}],
    ],
)
def test_pairs_of_a_film_are_conversations_of_one_turn(read: Any, rows: list[Any]) -> None:
    (entry,) = read(["v/0.mp4"], {"train.json": rows}).entries
    turns = [[(turn.question, turn.answer) for turn in talk.turns] for talk in entry.annotations.conversations]
    assert turns == [[("What?", "It.")], [("Who?", "She.")]]


def test_prompts_and_videos_go_line_by_line(read: Any) -> None:
    layout = read(["v/0.mp4", "v/1.mp4"], {"prompt.txt": "One, two.\nThree.\n", "videos.txt": "v/0.mp4\nv/1.mp4"})
    assert used(layout) == [
        ("v/0.mp4", None, captions("One, two."), "auto"),
        ("v/1.mp4", None, captions("Three."), "auto"),
    ]


def test_uneven_prompts_and_videos_are_refused(read: Any) -> None:
    layout = read(["v/0.mp4", "v/1.mp4"], {"captions.txt": "One.\n", "video.txt": "v/0.mp4\nv/1.mp4"})
    assert layout.key == "folders"
    assert any("captions.txt has 1 lines and video.txt 2" in note for note in layout.notes)


def test_empty_lines_at_different_places_are_refused(read: Any) -> None:
    clips = ["v/0.mp4", "v/1.mp4"]
    layout = read(clips, {"prompts.txt": "One.\n\nTwo.\n", "videos.txt": "v/0.mp4\nv/1.mp4\n"})
    assert layout.key == "folders"
    assert any("from line 2 on it is unclear" in note for note in layout.notes)
    together = read(clips, {"prompts.txt": "One.\n\nTwo.\n", "videos.txt": "v/0.mp4\n\nv/1.mp4\n"})
    assert [value for _, _, value, _ in used(together)] == [captions("One."), captions("Two.")]


def test_label_studio_reads_what_was_not_cancelled(read: Any) -> None:
    def task(video: str, *annotations: dict[str, Any]) -> dict[str, Any]:
        return {"id": 1, "data": {"clip": video}, "annotations": list(annotations)}

    def choices(*names: str) -> dict[str, Any]:
        return {"result": [{"type": "choices", "value": {"choices": list(names)}}]}

    text = {"result": [{"type": "textarea", "value": {"text": ["A cat."]}}]}
    times = {"result": [{"type": "labels", "value": {"start": 1.5, "end": 3, "labels": ["jump"]}}]}
    box = {"result": [{"type": "videorectangle", "value": {"sequence": []}}]}
    tasks = [
        task("/data/upload/3/0a1b2c3d-a.mp4", {"was_cancelled": True, **choices("no")}, choices("run", "jump")),
        task("/data/local-files/?d=films%2Fb.mp4", choices("run"), choices("sit")),
        task("s3://bucket/films/c.mp4", text),
        task("https://example.org/d.mp4?sig=1", times),
        task("e.mp4", box),
        task("f.mp4"),
    ]
    clips = ["films/a.mp4", "films/b.mp4", "films/c.mp4", "films/d.mp4", "films/e.mp4", "films/f.mp4"]
    layout = read(clips, {"project.json": tasks})
    assert layout.key == "label_studio"
    found = {name: (span, value) for name, span, value, _ in used(layout)}
    assert found["films/a.mp4"] == (None, labels("run", "jump"))
    assert found["films/b.mp4"] == (None, labels("run"))
    assert found["films/c.mp4"] == (None, captions("A cat."))
    assert found["films/d.mp4"] == ((1.5, 3.0), labels("jump"))
    notes = " ".join(layout.notes)
    assert "1 further annotation" in notes
    assert "videorectangle" in notes
    assert "1 task has no film or no annotation" in notes


def test_label_studio_min_has_choices_or_texts(read: Any) -> None:
    def rows(key: str, texts: list[str]) -> list[dict[str, Any]]:
        return [
            {"video": f"/data/upload/1/a1b2c3d{n}-{n}.mp4", "id": n, key: text, "annotation_id": n, "lead_time": 1.0}
            for n, text in enumerate(texts)
        ]

    clips = [f"{n}.mp4" for n in range(4)]
    chosen = read(clips, {"a.json": rows("kind", ["run", "sit", "run", "sit"])})
    assert [value for _, _, value, _ in used(chosen)] == [labels(name) for name in ("run", "sit", "run", "sit")]
    said = ["a cat runs", "//[music] a dog sits", "http://[two men talk", "rain falls"]
    written = read(clips, {"a.json": rows("said", said)})
    assert [value for _, _, value, _ in used(written)] == [captions(text) for text in said]


def test_fiftyone_reads_classes_detections_and_names_what_it_cannot(read: Any) -> None:
    content = {
        "classes": ["run", "jump"],
        "labels": {
            "000": 0,
            "001": [0, 1],
            "002": [{"label": 1, "timestamps": [1, 2.5]}, {"label": 0, "support": [3, 9]}],
            "003": 7,
            "004": "jump",
        },
    }
    layout = read([f"data/00{n}.mp4" for n in range(5)], {"labels.json": content})
    assert [(name, span, value) for name, span, value, _ in used(layout)] == [
        ("data/000.mp4", None, labels("run")),
        ("data/001.mp4", None, labels("run", "jump")),
        ("data/002.mp4", (1.0, 2.5), labels("jump")),
        ("data/004.mp4", None, labels("jump")),
    ]
    notes = " ".join(layout.notes)
    assert "1 labels are numbers" in notes
    assert "1 detections have frame numbers" in notes


CVAT = """<?xml version="1.0"?><annotations><version>1.1</version>
<meta><task><id>4</id><subset>Train</subset><source>walk.mp4</source></task></meta>
<track id="0" label="person"><box frame="0" xtl="1"/><box frame="1" xtl="2"/></track>
<track id="1" label="dog"><box frame="0" xtl="1"/></track><track id="2" label="dog"/></annotations>"""


def test_cvat_gives_a_film_the_labels_of_its_tracks(read: Any) -> None:
    layout = read(["videos/walk.mp4"], {"annotations.xml": CVAT})
    assert used(layout) == [("videos/walk.mp4", None, labels("person", "dog"), "train")]
    assert any("3 shapes on single frames are not used" in note for note in layout.notes)


def test_xml_that_defines_entities_is_not_read(read: Any) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>' + CVAT.partition("?>")[2]
    assert read(["videos/walk.mp4"], {"annotations.xml": bomb}).key == "folders"


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> str:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path.name


def test_a_workbook_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    train = [["File Name", "label", "Start", "End"], ["a.mp4", "run", 0.5, 2], [None], ["b.mp4", 3.0, None, None]]
    sheets = {"train": train, "val": [["File Name", "label"], ["c.mp4", "sit"]]}
    name = workbook(tmp_path / "labels.xlsx", sheets)
    layout = detect_layout(Tree(tmp_path, ["a.mp4", "b.mp4", "c.mp4", name]))
    assert used(layout) == [
        ("a.mp4", (0.5, 2.0), labels("run"), "train"),
        ("b.mp4", None, labels("3"), "train"),
        ("c.mp4", None, labels("sit"), "validation"),
    ]
    assert any("2 sheets" in note for note in layout.notes)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no workbook", b"a,b\n1,2\n"])
def test_a_damaged_workbook_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.xlsx").write_bytes(content)
    layout = detect_layout(Tree(tmp_path, ["run/a.mp4", "labels.xlsx"]))
    assert layout.key == "folders"
    assert "labels.xlsx is no workbook that can be read. Save it as .xlsx again, or as CSV." in layout.notes


QUESTIONS = "clip_path,asked,said,choices,from,to\na.mp4,What?,B,It; She,1,2.5\n"


def test_columns_can_be_chosen_for_questions_options_and_times(read: Any) -> None:
    roles = {"caption": "said", "question": "asked", "options": "choices", "start": "from", "end": "to"}
    (entry,) = read_again(read, {"t.csv": QUESTIONS}, roles).entries
    ((turn,),) = [talk.turns for talk in entry.annotations.conversations]
    assert (turn.question, turn.answer, turn.options) == ("What?", "She", ("It", "She"))
    assert entry.span == Span(1.0, 2.5)


@pytest.mark.parametrize("cell", ["run;jump", "run|jump", '"[""run"", ""jump""]"', "['run', 'jump']", '"run, jump"'])
def test_a_column_of_several_labels(read: Any, cell: str) -> None:
    cell = f'"{cell}"' if "," in cell and not cell.startswith('"') else cell
    layout = read_again(read, {"t.csv": f"file_name,what\na.mp4,{cell}\n"}, {"labels": "what"})
    assert used(layout) == [("a.mp4", None, labels("run", "jump"), "auto")]


def read_again(read: Any, files: dict[str, str], roles: dict[str, str]) -> DetectedLayout:
    """The upload with the columns that a user chose."""
    return read(["a.mp4"], files, ReadingOptions("videofolder", roles))
