"""The split is by class, the same each time, and respects the dataset's own."""

import pytest

from jobs.runs.spec import ClipSpec
from jobs.trainer.split import split_clips
from orchestrator.domain.errors import Invalid


def clips(*labels: str, split: str = "auto") -> list[ClipSpec]:
    return [ClipSpec(i + 1, f"/c/{i}", label, "", split, f"{i:02x}", f"{i}.mp4") for i, label in enumerate(labels)]


def test_share_of_each_class() -> None:
    sides = split_clips(clips(*"a" * 10, *"b" * 5), 0.2, 7)
    assert sorted(c.label for c in sides.validation) == ["a", "a", "b"]
    assert split_clips(clips(*"a" * 10, *"b" * 5), 0.2, 7) == sides
    assert split_clips(clips(*"a" * 10, *"b" * 5), 0.2, 8) != sides


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
