"""The split is by class, the same each time, and respects the dataset's own."""

from collections import Counter
from dataclasses import replace

import pytest

from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.split import split_clips
from orchestrator.domain.annotations import Annotations
from orchestrator.domain.errors import Invalid


def clips(*labels: str, split: str = "auto") -> list[ClipSpec]:
    return [ClipSpec(i + 1, f"/c/{i}", label, "", split, f"{i:02x}", f"{i}.mp4") for i, label in enumerate(labels)]


def test_share_of_each_class() -> None:
    sides = split_clips(clips(*"a" * 10, *"b" * 5), 0.2, 7)
    assert sorted(c.label for c in sides.validation) == ["a", "a", "b"]
    assert split_clips(clips(*"a" * 10, *"b" * 5), 0.2, 7) == sides
    assert split_clips(clips(*"a" * 10, *"b" * 5), 0.2, 8) != sides


def test_several_labels_are_stratified() -> None:
    """Each class has about its share, the rare ones as well, and none loses its only clip to learn from."""
    labels = [("run", "jump"), ("run",), ("run", "sit"), ("sit",), ("run", "jump", "sit")] * 20
    many = [
        replace(clip, annotations=Annotations((*names, *(["rare"] if clip.id % 20 == 1 else []))).to_json())
        for clip, names in zip(clips(*map(", ".join, labels)), labels, strict=True)
    ]
    once = replace(many[0], id=999, content_hash="once", annotations=Annotations(("run", "once")).to_json())
    sides = split_clips([*many, once], 0.2, 7)
    held_out = Counter(name for clip in sides.validation for name in clip.annotated.labels)
    assert {name: held_out[name] for name in ("jump", "rare", "once")} == {"jump": 8, "rare": 1, "once": 0}
    assert 15 <= held_out["run"] <= 18
    assert 11 <= held_out["sit"] <= 13
    assert split_clips([*many, once], 0.2, 7) == sides


def test_one_clip_is_learned_from() -> None:
    sides = split_clips(clips("a", "b", "b"), 0.5, 7)
    assert [c.label for c in sides.train].count("a") == 1
    assert len(sides.validation) == 1


def test_own_split_holds() -> None:
    marked = [*clips("a", "b"), ClipSpec(9, "/c/9", "a", "", "validation", "", "")]
    assert [c.id for c in split_clips(marked, 0.5, 7).validation] == [9]


def test_nothing_to_learn_from() -> None:
    with pytest.raises(Invalid, match="no clip to learn from"):
        split_clips(clips("a", split="validation"), 0.2, 7)


def test_no_film_is_on_both_sides() -> None:
    """Spans of a film go together, drawn or marked; each class then draws the same films."""
    spans = [
        ClipSpec(10 * film + part, "x", label, "", "auto", f"film {film}", start_s=part, end_s=part + 1)
        for film in range(10)
        for part, label in enumerate(("run", "jump", "run"))
    ]
    sides = split_clips(spans, 0.2, 7)
    held_out = {clip.content_hash for clip in sides.validation}
    assert len(held_out) in (2, 3)
    assert not held_out & {clip.content_hash for clip in sides.train}
    marked = [replace(clip, split="validation" if clip.id == 52 else "train") for clip in spans]
    assert [clip.id for clip in split_clips(marked, 0.2, 7).validation] == [50, 51, 52]
