"""Spans of films become clips: one file on disk, probed once, and each span with its own annotation and length."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select

from orchestrator.domain.annotations import Annotations
from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetStatus, Upload
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import Change, update_clip
from orchestrator.services.datasets.curation.examined_clips import examined_clips
from orchestrator.services.datasets.curation.findings import near_duplicates
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest import reinterpret
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.db import session_scope
from tests.fakes.odd_videos import RATE, write_film
from tests.fakes.uploads import uploaded_dataset
from tests.ingest import import_now
from tests.unit.services.datasets.ingest.test_pipeline import clips, clips_of, dataset_of

SPANS = b"video,start,end,label\n0.mp4,0,4,run\n0.mp4,5,9,jump\n1.mp4,1,4,run\n1.mp4,5,10.2,jump\n"
WHOLE = b"video,label\n0.mp4,run\n1.mp4,jump\n"
FILMS = clips(["0.mp4", "1.mp4"])


class Probe:
    """Films of 10 s with 100 pictures; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, requests: Sequence[tuple[str, str, str]]) -> list[ClipFacts]:
        for _, name, strip in requests:
            self.asked.append(name)
            Path(strip).write_bytes(b"jpeg")
        return [ClipFacts(100, 10.0, 64, 48, 10.0, "h264") for _ in requests]


ReadAgain = Callable[..., str]


@pytest.fixture
def read_again(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> ReadAgain:
    monkeypatch.setattr(reinterpret, "enqueue", lambda *_, **__: None)

    def again(dataset_id: int, probe: Probe, **options: object) -> str:
        with session_scope() as session:
            request_reinterpretation(session, ada, dataset_id, options)
        return ingest_dataset(dataset_id, probe)

    return again


def test_each_span_is_a_clip_of_one_file_that_is_probed_once(ada: Actor) -> None:
    probe = Probe()
    dataset_id = uploaded_dataset(ada, FILMS | {"t.csv": SPANS})
    assert ingest_dataset(dataset_id, probe) == "ready"
    found = clips_of(dataset_id)
    assert [(c.name, c.start_s, c.end_s, c.label, c.duration_s, c.frames) for c in found] == [
        ("0.mp4", 0, 4, "run", 4, 40),
        ("0.mp4", 5, 9, "jump", 4, 40),
        ("1.mp4", 1, 4, "run", 3, 30),
        ("1.mp4", 5, 10, "jump", 5, 50),
    ]
    assert sorted(probe.asked) == ["0.mp4", "1.mp4"]
    assert len({clip.path for clip in found}) == 2
    assert len(list((dataset_folder(dataset_id) / "clips").iterdir())) == 2
    dataset = dataset_of(dataset_id)
    assert (dataset.clip_count, dataset.bad_count, dataset.class_names) == (4, 0, ["jump", "run"])
    assert dataset.size_bytes == 2 * len(b"0.mp4")


def test_a_span_outside_of_its_film_gets_a_sentence(ada: Actor) -> None:
    table = SPANS + b"0.mp4,9,30,jump\n1.mp4,12,14,jump\n"
    dataset_id = uploaded_dataset(ada, FILMS | {"t.csv": table})
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    bad = [clip for clip in clips_of(dataset_id) if clip.status is ClipStatus.BAD]
    assert [(clip.problem_kind, clip.problem) for clip in bad] == [
        (ClipProblem.NO_SUCH_SPAN, "The span 9 to 30 s is not within 0.mp4, which lasts 10 s. Correct the times."),
        (ClipProblem.NO_SUCH_SPAN, "The span 12 to 14 s is not within 1.mp4, which lasts 10 s. Correct the times."),
    ]


def test_a_film_as_long_as_its_only_span_was_cut_already(ada: Actor, read_again: ReadAgain) -> None:
    rows = "".join(f"{'run' if i < 2 else 'jump'},{i},{60 + i},{70 + i}\n" for i in range(4))
    films = clips([f"{i}.mp4" for i in range(4)])
    dataset_id = uploaded_dataset(ada, films | {"k.csv": f"label,youtube_id,time_start,time_end\n{rows}".encode()})
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    expected = [(f"{i}.mp4", None, 10, "run" if i < 2 else "jump") for i in range(4)]
    assert [(clip.name, clip.start_s, clip.duration_s, clip.label) for clip in clips_of(dataset_id)] == expected
    assert read_again(dataset_id, Probe()) == "ready"
    assert [(clip.name, clip.start_s, clip.duration_s, clip.label) for clip in clips_of(dataset_id)] == expected


def test_reading_again_keeps_the_spans_and_their_ids(ada: Actor, read_again: ReadAgain) -> None:
    dataset_id = uploaded_dataset(ada, FILMS | {"t.csv": SPANS})
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    before = {(clip.name, clip.span): (clip.id, clip.path) for clip in clips_of(dataset_id)}
    probe = Probe()
    assert read_again(dataset_id, probe) == "ready"
    assert {(clip.name, clip.span): (clip.id, clip.path) for clip in clips_of(dataset_id)} == before
    assert not [clip for clip in clips_of(dataset_id) if clip.status is not ClipStatus.OK]


def test_adding_the_same_files_again_adds_nothing(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, FILMS | {"t.csv": SPANS})
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    again = uploaded_dataset(ada, FILMS | {"t.csv": SPANS + b"0.mp4,4,5,sit\n1.mp4,0,1,sit\n"})
    move_uploads(again, dataset_id)
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    assert [(clip.label, clip.duration_s) for clip in clips_of(dataset_id)[:3]] == [("run", 4), ("jump", 4), ("sit", 1)]
    assert dataset_of(dataset_id).clip_count == 6


def move_uploads(source: int, target: int) -> None:
    """Gives the uploads of one dataset to another, which is processed again."""
    with session_scope() as session:
        for upload in session.exec(select(Upload).where(Upload.dataset_id == source)):
            upload.dataset_id = target
            session.add(upload)
        dataset = session.get_one(Dataset, target)
        dataset.status = DatasetStatus.PROCESSING
        session.add(dataset)


def test_several_labels_are_imported(ada: Actor) -> None:
    rows = b'[{"video":"0.mp4","label":["run","jump"]},{"video":"1.mp4","label":"run"},' + (
        b'{"video":"2.mp4","label":"run"},{"video":"3.mp4","label":"jump"},{"video":"4.mp4","label":"jump"}]'
    )
    dataset_id = uploaded_dataset(ada, clips([f"{i}.mp4" for i in range(5)]) | {"a.json": rows})
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    first = clips_of(dataset_id)[0]
    assert (first.status, first.problem_kind, first.problem) == (ClipStatus.OK, None, "")
    assert first.annotated == Annotations(("run", "jump"))
    assert (first.label, dataset_of(dataset_id).class_names) == ("run, jump", ["jump", "run"])


def test_all_captions_and_questions_of_a_clip_are_stored(ada: Actor) -> None:
    table = b"file_name,caption\n0.mp4,one\n0.mp4,two\n1.mp4,three\n"
    dataset_id = uploaded_dataset(ada, FILMS | {"metadata.csv": table}, Task.CAPTIONING)
    assert ingest_dataset(dataset_id, Probe()) == "ready"
    assert [clip.annotated.captions for clip in clips_of(dataset_id)] == [("one", "two"), ("three",)]
    assert [clip.caption for clip in clips_of(dataset_id)] == ["one", "three"]


def test_answers_are_no_captions_for_retrieval(ada: Actor) -> None:
    table = b"file_name,question,answer\n0.mp4,What?,one\n1.mp4,What?,two\n"
    dataset_id = uploaded_dataset(ada, FILMS | {"metadata.csv": table}, Task.RETRIEVAL)
    assert ingest_dataset(dataset_id, Probe()) == "error"
    assert dataset_of(dataset_id).error == (
        "None of the files can be used. 0.mp4 has 1 question with its answer; Retrieval takes captions."
    )


def test_each_span_has_the_film_strip_and_the_hash_of_its_own_frames(ada: Actor, tmp_path: Path) -> None:
    """Film 0 becomes brighter to the right in its first half, to the left in its second; film 1 is of equal frames."""
    ramp = np.repeat(np.linspace(20, 230, 64)[None, :, None], 48, 0).repeat(3, 2)
    turning = write_film(tmp_path / "0.mp4", draw=lambda i: (ramp if i < 24 else ramp[:, ::-1]).astype(np.uint8))
    steady = write_film(tmp_path / "1.mp4", draw=lambda _: ramp.astype(np.uint8))
    half = 24 / RATE
    rows = "".join(f"{film}.mp4,{a},{a + half},{name}\n" for film in (0, 1) for a, name in ((0, "run"), (half, "jump")))
    files = {"0.mp4": turning.read_bytes(), "1.mp4": steady.read_bytes()}
    dataset_id = uploaded_dataset(ada, files | {"t.csv": f"video,start,end,label\n{rows}".encode()})
    assert import_now(dataset_id) == "ready"
    found = clips_of(dataset_id)
    assert [clip.frames for clip in found] == [24] * 4
    first, second, third, fourth = [clip.perceptual_hash for clip in found]
    assert first == third == fourth != second
    with session_scope() as session:
        strips = [clip_media(session, ada, clip.id or 0, thumbnail=True) for clip in found]
        assert len({strip.read_bytes() for strip in strips[:2]}) == len(set(strips[:2])) == 2
        leak, copies = near_duplicates(examined_clips(session, dataset_id))
        assert leak is None
        assert copies  # of film 0 in film 1, but not of film 1 in itself
        assert {*copies.clip_ids, *copies.related} == {found[0].id, found[2].id, found[3].id}
        update_clip(session, ada, found[0].id or 0, Change(end_s=half - 0.2))
        assert clip_media(session, ada, found[0].id or 0, thumbnail=True) not in strips  # that of the whole film
        assert not session.get_one(Clip, found[0].id).perceptual_hash
