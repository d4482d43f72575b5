"""Edits of clips: one or many, a version each, undone, refused where too little would be left; the doctor's cures."""

from collections.abc import Sequence

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, ClipProblem, ClipStatus, Dataset, DatasetEdit, DatasetStatus, Split
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import list_clips, matching_clips
from orchestrator.services.datasets.curation.annotation_edits import replace_in_texts
from orchestrator.services.datasets.curation.doctor import apply_action, clips_of_finding, examine
from orchestrator.services.datasets.curation.edits import (
    Change,
    assign_splits,
    edit_clips,
    undo_edit,
    update_clip,
)
from orchestrator.services.datasets.curation.near_duplicates import near_pairs
from orchestrator.services.datasets.curation.versions import clips_at, list_edits
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.studio import make_person


def make(actor: Actor, clips: Sequence[dict], task: Task = Task.CLASSIFICATION) -> tuple[int, list[int]]:
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name=f"set {len(clips)}", task=task, status=DatasetStatus.READY)
        session.add(dataset)
        session.flush()
        assert dataset.id
        facts = {"path": "x", "frames": 30, "duration_s": 3.0}
        rows = [Clip(dataset_id=dataset.id, **{"name": f"{i}.mp4", **facts, **clip}) for i, clip in enumerate(clips)]
        session.add_all(rows)
        session.flush()
        dataset.clip_count = len(clips)
        return dataset.id, [row.id or 0 for row in rows]


def two_classes(actor: Actor, each: int = 4) -> tuple[int, list[int]]:
    return make(actor, [{"label": label} for label in ("left", "right") for _ in range(each)])


def labels(dataset_id: int, version: int) -> list[str]:
    with session_scope() as session:
        return [clip.label for clip in clips_at(session, dataset_id, version)]


def test_many_clips_at_once_and_back(ada: Actor) -> None:
    dataset_id, ids = two_classes(ada)
    with session_scope() as session:
        edit = edit_clips(session, ada, dataset_id, ids[:2], Change(label=" up ", split="validation"))
        assert edit
        assert (edit.version, edit.clips, edit.what) == (2, 2, "2 clips: label up, split validation")
    with session_scope() as session:
        assert session.get_one(Dataset, dataset_id).class_names == ["left", "right", "up"]
        undo_edit(session, ada, dataset_id, edit.id)
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        assert (dataset.class_names, dataset.version) == (["left", "right"], 3)
        assert [(row.version, row.undone) for row in list_edits(session, ada, dataset_id).items] == [
            (3, False),
            (2, True),
        ]
        with pytest.raises(Conflict, match="undone already"):
            undo_edit(session, ada, dataset_id, edit.id)
    assert labels(dataset_id, 1) == labels(dataset_id, 3) == ["left"] * 4 + ["right"] * 4
    assert labels(dataset_id, 2) == ["up"] * 2 + ["left"] * 2 + ["right"] * 4


def test_versions_are_listed_page_for_page(ada: Actor) -> None:
    dataset_id, ids = two_classes(ada)
    other, _ = make(ada, [{"label": "a"}, {"label": "b"}])
    found: list[int] = []
    with session_scope() as session:
        for number in range(10):
            edit_clips(session, ada, dataset_id, ids[:1], Change(label=f"up {number}"))
        cursor: str | None = None
        for number in (1, 2, 3):
            page = list_edits(session, ada, dataset_id, 4, cursor)
            found, cursor = [*found, *(row.version for row in page.items)], page.next
            assert (page.total, cursor is None) == (10, number == 3)
        assert found == list(range(11, 1, -1))
        assert list_edits(session, ada, other).items == []
    bob = make_person("bob")
    with session_scope() as session, pytest.raises(NotFound):
        list_edits(session, bob, dataset_id)


def test_an_older_version_is_read_as_it_was(ada: Actor) -> None:
    dataset_id, ids = two_classes(ada)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(status="quarantined"))
        edit_clips(session, ada, dataset_id, ids[4:5], Change(label="left"))
        session.add(Clip(dataset_id=dataset_id, name="new.mp4", path="x", label="left", since=4))
    assert [len(labels(dataset_id, version)) for version in (1, 2, 3, 4)] == [8, 7, 7, 8]
    assert labels(dataset_id, 1) == ["left"] * 4 + ["right"] * 4
    assert labels(dataset_id, 3)[3] == "left"


def test_nothing_to_do_makes_no_version(ada: Actor) -> None:
    dataset_id, ids = two_classes(ada)
    with session_scope() as session:
        assert edit_clips(session, ada, dataset_id, ids[:1], Change(label="left")) is None
        assert session.get_one(Dataset, dataset_id).version == 1
        edit = edit_clips(session, ada, dataset_id, ids[:6], Change(label="left"))
        assert edit
        assert edit.what == "2 clips: label left", "those that were so already are not counted"
    empty, _ = make(ada, [])
    with session_scope() as session, pytest.raises(Conflict, match="No clip is in use"):
        assign_splits(session, ada, empty, 0.2)


REFUSED = [
    (slice(0, 4), Change(label="right"), Conflict, "Only one class would be left"),
    (slice(0, 8), Change(status="quarantined"), Conflict, "No clip would be left"),
    (slice(0, 1), Change(label="  "), Invalid, "1 to 200"),
    (slice(0, 1), Change(caption="x" * 5000), Invalid, "4,000"),
    (slice(0, 1), Change(split="north"), Invalid, "auto, train, validation"),
    (slice(0, 1), Change(status="bad"), Invalid, "ok, quarantined"),
    (slice(0, 0), Change(label="up"), Invalid, "Choose some clips"),
]


@pytest.mark.parametrize(("which", "change", "kind", "sentence"), REFUSED)
def test_what_is_refused_changes_nothing(ada: Actor, which: slice, change: Change, kind: type, sentence: str) -> None:
    dataset_id, ids = two_classes(ada)
    with pytest.raises(kind, match=sentence), session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[which], change)
    with session_scope() as session:
        assert session.get_one(Dataset, dataset_id).version == 1
    assert labels(dataset_id, 1) == ["left"] * 4 + ["right"] * 4


def test_clips_of_another_user_do_not_exist(ada: Actor) -> None:
    eve = make_person("eve")
    dataset_id, ids = two_classes(ada)
    own, _ = make(eve, [{"label": "a"}, {"label": "a"}, {"label": "b"}, {"label": "b"}])
    with session_scope() as session:
        for wanted in (dataset_id, own):
            with pytest.raises(NotFound):
                edit_clips(session, eve, wanted, ids[:1], Change(split="train"))
        with pytest.raises(NotFound):
            update_clip(session, eve, ids[0], Change(label="up"))
        with pytest.raises(NotFound):
            examine(session, eve, dataset_id)


def test_splits_are_drawn_by_class_and_seed(ada: Actor) -> None:
    dataset_id, _ = two_classes(ada, 10)
    with session_scope() as session:
        assert assign_splits(session, ada, dataset_id, 0.2)
        assert assign_splits(session, ada, dataset_id, 0.2) is None
        held = [c.label for c in clips_at(session, dataset_id, 2) if c.split is Split.VALIDATION]
        assert held == ["left"] * 2 + ["right"] * 2
        with pytest.raises(Invalid):
            assign_splits(session, ada, dataset_id, 0.9)


SOME, NEAR, OTHER = "0f" * 32, "0f" * 31 + "0c", "a5" * 32


def test_near_pairs_are_found_without_comparing_all() -> None:
    assert near_pairs([(1, SOME), (2, OTHER), (3, NEAR), (4, "")]) == [(1, 3, 2)]
    assert near_pairs([(i, SOME) for i in range(1_000)]) == []  # a crowd is no finding


def test_the_doctor_finds_and_cures(ada: Actor) -> None:
    clips = [{"label": "left", "split": Split.TRAIN, "perceptual_hash": f"{i * 7919:064x}"} for i in range(7)]
    clips[0]["perceptual_hash"] = SOME
    clips += [
        {"label": "right", "split": Split.VALIDATION, "perceptual_hash": NEAR},
        {"label": "right", "split": Split.TRAIN, "perceptual_hash": OTHER, "frames": 3},
        {"label": "right", "split": Split.TRAIN},
        {"label": "right", "status": ClipStatus.BAD, "problem": "cut.mp4 is cut off."},
    ]
    for i in range(1, 7):
        clips[i]["perceptual_hash"] = ""
    dataset_id, ids = make(ada, clips)
    with session_scope() as session:
        report = examine(session, ada, dataset_id)
    found = {finding.kind: (finding.severity, finding.clip_ids) for finding in report.findings}
    assert found == {"damaged": ("error", [ids[10]]), "leak": ("error", [ids[7]]), "short": ("warning", [ids[8]])}
    passed = (
        "Every clip has a label",
        "Validation has clips of its own",
        "No clip is there twice",
        "Every class has clips for validation",
        "Classes are even",
        "No class is written in two ways",
        "Every text has the right encoding",
    )
    assert report.passed == list(passed)
    with session_scope() as session:
        edit = apply_action(session, ada, dataset_id, "leak", "train")
        assert edit
        assert edit.what == "1 clip is in train and validation: keep in train only"
        assert apply_action(session, ada, dataset_id, "damaged", "delete") is None
        apply_action(session, ada, dataset_id, "one-sided", "split")
    with session_scope() as session:
        kinds = [finding.kind for finding in examine(session, ada, dataset_id).findings]
        assert "damaged" not in kinds
        assert "one-sided" not in kinds
        with pytest.raises(NotFound):
            apply_action(session, ada, dataset_id, "damaged", "delete")
        with pytest.raises(Conflict):
            apply_action(session, ada, dataset_id, "short", "delete")
        said = ("1 file is left out", "something else")
        with pytest.raises(Conflict, match="has changed"):
            apply_action(session, ada, dataset_id, "short", "quarantine", said)


def test_the_doctor_reads_captions(ada: Actor) -> None:
    clips = [{"caption": "word " * 120}, {"caption": "A cat."}, {"caption": "A cat."}, {"caption": "A dog."}]
    dataset_id, ids = make(ada, clips, Task.RETRIEVAL)
    with session_scope() as session:
        found = {f.kind: f.clip_ids for f in examine(session, ada, dataset_id).findings}
        assert found == {"long-captions": ids[:1], "same-captions": ids[2:3]}
        apply_action(session, ada, dataset_id, "same-captions", "single")
        assert [clip.caption for clip in clips_at(session, dataset_id, 2)][1:] == ["A cat.", "A dog."]


def test_a_class_that_is_too_large_gives_its_surplus_away(ada: Actor) -> None:
    dataset_id, _ = make(ada, [{"label": "left"}] * 11 + [{"label": "right"}] * 3)
    with session_scope() as session:
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind == "uneven")
        assert len(found.clip_ids) == 2
        edit = apply_action(session, ada, dataset_id, "uneven", "even")
        assert edit
        assert [f.kind for f in examine(session, ada, dataset_id).findings if f.kind == "uneven"] == []
        undo_edit(session, ada, dataset_id, edit.id)
    assert labels(dataset_id, 2).count("left") == 9
    assert labels(dataset_id, 3).count("left") == 11


def test_a_class_of_one_clip_is_named_and_weighs_nothing_when_classes_are_evened(ada: Actor) -> None:
    dataset_id, ids = make(ada, [{"label": label} for label in ["left"] * 4 + ["right"] * 3 + ["up", "away"]])
    with session_scope() as session:
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind in ("lone", "uneven"))
        assert (found.title, found.clip_ids) == ("2 classes have one clip each", ids[7:])
        assert "none for validation: away, up. Add more" in found.detail
        apply_action(session, ada, dataset_id, "lone", "quarantine")
        assert "Every class has clips for validation" in examine(session, ada, dataset_id).passed


def test_characters_of_a_wrong_encoding_are_repaired(ada: Actor) -> None:
    wrong = "Grüße – an alle".encode().decode("cp1252")
    clips = [{"caption": wrong}, {"caption": "Gr\ufffdn"}, {"caption": "Grüße"}, {"caption": "Ein Hund."}]
    dataset_id, ids = make(ada, clips, Task.CAPTIONING)
    with session_scope() as session:
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind == "letters")
        assert (found.clip_ids, [key for key, _ in found.actions]) == (ids[:2], ["mend", "quarantine"])
        assert found.detail == f"“{wrong}” was most likely “Grüße – an alle”."
        apply_action(session, ada, dataset_id, "letters", "mend")
        assert next(clip.caption for clip in clips_at(session, dataset_id, 2)) == "Grüße – an alle"
        assert next(clip.caption for clip in clips_at(session, dataset_id, 1)) == wrong
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind == "letters")
        assert (found.clip_ids, [key for key, _ in found.actions]) == (ids[1:2], ["quarantine"])


def test_unmarked_clips_are_trained_on_when_others_are_in_validation(ada: Actor) -> None:
    """The trainer draws no split of its own then: a copy among the unmarked clips is a leak, not only a copy."""
    clips = [{"label": "left", "perceptual_hash": SOME}, {"label": "left"}]
    clips += [{"label": "right", "split": Split.VALIDATION, "perceptual_hash": NEAR}, {"label": "right"}]
    dataset_id, ids = make(ada, clips)
    with session_scope() as session:
        found = {f.kind: f.clip_ids for f in examine(session, ada, dataset_id).findings}
        assert found == {"leak": ids[2:3]}
        apply_action(session, ada, dataset_id, "leak", "train")
        assert {f.kind for f in examine(session, ada, dataset_id).findings} == {"copies"}
        edit_clips(session, ada, dataset_id, ids, Change(split="validation"))
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind == "one-sided")
        assert found.title == "There is no clip to train on"


def test_near_copies_stay_on_one_side(ada: Actor) -> None:
    clips = [{"label": "a", "perceptual_hash": SOME if i % 2 else NEAR} for i in range(4)]
    clips += [{"label": "a", "perceptual_hash": f"{1 << (16 * i):064x}"} for i in range(6)]
    dataset_id, ids = make(ada, [*clips, {"label": "b"}, {"label": "b"}])
    for seed in range(6):
        with session_scope() as session:
            assign_splits(session, ada, dataset_id, 0.4, seed)
            held = {clip.id for clip in session.exec(select(Clip)) if clip.split is Split.VALIDATION} & set(ids[:10])
        assert len(held) == 4
        assert len(held & set(ids[:4])) in (0, 4)


def test_deleting_what_was_left_out_keeps_the_file_of_its_twin(ada: Actor) -> None:
    """Of a video that came twice there is one file: the good clip's."""
    root = get_settings().storage_dir
    root.mkdir(parents=True, exist_ok=True)
    for name in ("one.mp4", "one.jpg", "cut.mp4"):
        (root / name).write_bytes(b"-")
    twin = {"path": "one.mp4", "thumbnail_path": "one.jpg", "label": "left"}
    spare = [{"label": "left"}, {"label": "right"}, {"label": "right"}]
    bad = [twin | {"status": ClipStatus.BAD}, {"path": "cut.mp4", "label": "left", "status": ClipStatus.BAD}]
    dataset_id, _ = make(ada, [twin, *spare, *bad])
    with session_scope() as session:
        apply_action(session, ada, dataset_id, "damaged", "delete")
    assert sorted(path.name for path in root.iterdir()) == ["one.jpg", "one.mp4"]


def test_a_clip_that_an_older_version_holds_is_not_deleted(ada: Actor) -> None:
    """It was good once, and a job may have learnt from it; a later reading found that it lacks its words."""
    dataset_id, ids = two_classes(ada)
    with session_scope() as session:
        clip = session.get_one(Clip, ids[0])
        clip.status, clip.problem = ClipStatus.BAD, "0.mp4 has no label."
        changes = {str(ids[0]): {"status": ["ok", "bad"]}}
        session.add(DatasetEdit(dataset_id=dataset_id, version=2, what="Read again", changes=changes))
        session.get_one(Dataset, dataset_id).version = 2
    with session_scope() as session, pytest.raises(Conflict, match="older version"):
        apply_action(session, ada, dataset_id, "damaged", "delete")
    assert len(labels(dataset_id, 1)) == 8


def test_a_clip_without_words_comes_in_when_they_are_written(ada: Actor) -> None:
    clips = [{"caption": "A cat."}, {"caption": "A dog."}]
    mute = {"status": ClipStatus.QUARANTINED, "problem": "2.mp4 has no caption in notes.csv."}
    mute["problem_kind"] = ClipProblem.NOT_ANNOTATED
    dataset_id, ids = make(ada, [*clips, mute], Task.CAPTIONING)
    with session_scope() as session:
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind == "unsaid")
        assert (found.title, found.clip_ids, found.actions) == ("1 clip has no caption", ids[2:], [])
        with pytest.raises(Conflict, match="has no caption yet"):
            edit_clips(session, ada, dataset_id, ids[2:], Change(status="ok"))
        edit = edit_clips(session, ada, dataset_id, ids[2:], Change(caption="A bird."))
        assert edit
    with session_scope() as session:
        assert session.get_one(Clip, ids[2]).problem == ""
        assert session.get_one(Dataset, dataset_id).clip_count == 3
        assert [f.kind for f in examine(session, ada, dataset_id).findings] == []
        undo_edit(session, ada, dataset_id, edit.id)
    with session_scope() as session:
        clip = session.get_one(Clip, ids[2])
        assert (clip.status, clip.caption, clip.problem) == (ClipStatus.QUARANTINED, "", "2.mp4 has no caption yet.")
        assert [len(clips_at(session, dataset_id, version)) for version in (1, 2, 3)] == [2, 3, 2]


def test_an_excluded_clip_stays_excluded_when_its_caption_changes(ada: Actor) -> None:
    dataset_id, ids = two_classes(ada)
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, ids[:1], Change(status="quarantined"))
        edit_clips(session, ada, dataset_id, ids[:1], Change(label="right"))
        assert session.get_one(Clip, ids[0]).status is ClipStatus.QUARANTINED


def test_a_finding_shows_its_clips_with_their_originals(ada: Actor) -> None:
    clips = [{"label": "left", "perceptual_hash": SOME}, {"label": "left"}]
    clips += [{"label": "right", "perceptual_hash": NEAR}, {"label": "right"}]
    dataset_id, ids = make(ada, clips)
    with session_scope() as session:
        shown = clips_of_finding(session, ada, dataset_id, "copies")
        assert shown
        assert shown == ("1 clip is nearly a copy", [ids[0], ids[2]])
        page = list_clips(session, ada, dataset_id, ids=shown[1])
        assert ([row.id for row in page.items], page.total) == ([ids[0], ids[2]], 2)
        assert matching_clips(session, ada, dataset_id, label="right", ids=shown[1]) == ids[2:3]
        assert clips_of_finding(session, ada, dataset_id, "leak") is None
        with pytest.raises(NotFound):
            clips_of_finding(session, make_person("eve"), dataset_id, "copies")


def test_words_are_replaced_in_many_captions_and_back(ada: Actor) -> None:
    clips = [{"caption": text} for text in ("A cat, asleep.", "Two cats and a cat.", "A dog.")]
    dataset_id, ids = make(ada, clips, Task.CAPTIONING)

    def captions(version: int) -> list[str]:
        with session_scope() as session:
            return [clip.caption for clip in clips_at(session, dataset_id, version)]

    with session_scope() as session:
        edit = replace_in_texts(session, ada, dataset_id, ids, "cat", "tiger")
        assert edit
        assert (edit.clips, edit.what) == (2, "2 clips: “cat” is now “tiger”")
        assert replace_in_texts(session, ada, dataset_id, ids, "cow", "horse") is None
    assert captions(2) == ["A tiger, asleep.", "Two tigers and a tiger.", "A dog."]
    for find, put, field in (("", "x", "find"), ("A dog.", "", "put"), ("A dog.", "x" * 5000, "put")):
        with pytest.raises(Invalid) as refused, session_scope() as session:
            replace_in_texts(session, ada, dataset_id, ids, find, put)
        assert refused.value.field == field
    with session_scope() as session:
        undo_edit(session, ada, dataset_id, edit.id)
    eve = make_person("eve")
    with session_scope() as session, pytest.raises(NotFound):
        replace_in_texts(session, eve, dataset_id, ids, "cat", "tiger")
    assert captions(3) == captions(1)
