"""Annotations in their columns and back, and the sentences about those that cannot be kept."""

import pytest

from orchestrator.domain.annotations import (
    Annotations,
    Conversation,
    Turn,
    annotation_problem,
    annotations_of,
    short_form,
)
from orchestrator.domain.datasets import Clip

CHOICE = Turn("What?", "a cat", ("a cat", "a dog"))
ANNOTATIONS = [
    Annotations(),
    Annotations(("run",)),
    Annotations(("run", "jump, high")),
    Annotations(("run, jump",)),
    Annotations((), ("One line\nand another.",)),
    Annotations(("run",), ("One.", "Two.")),
    Annotations((), (), (Conversation((Turn("What?", "First line.\n\nSecond."),)),)),
    Annotations((), (), (Conversation((Turn("What?", "A cat."), Turn("Where?", "There."))),)),
    Annotations((), (), (Conversation((Turn("What?", "A cat."),), "You answer in JSON."),)),
    Annotations((), (), (Conversation((CHOICE,)),)),
    Annotations(("run",), ("A caption.",), (Conversation((CHOICE,)), Conversation((Turn("Q?", "A."),)))),
]


@pytest.mark.parametrize("annotations", ANNOTATIONS)
def test_every_annotation_comes_back_from_the_columns_of_a_clip(annotations: Annotations) -> None:
    clip = Clip(dataset_id=1, name="a.mp4", path="a.mp4")
    clip.annotate(annotations)
    assert clip.annotated == annotations
    assert Annotations.parse(str(clip.annotated)) == annotations
    assert annotations_of(*short_form(annotations)) == annotations


def test_only_what_the_short_form_cannot_hold_stands_in_the_long_one() -> None:
    assert [bool(short_form(annotations)[3]) for annotations in ANNOTATIONS] == [
        *(False, False, True, False, False, True, False, True, True, True, True)
    ]
    assert short_form(ANNOTATIONS[9])[:3] == ("", "a cat", "What?\nA. a cat\nB. a dog")


@pytest.mark.parametrize(
    ("annotations", "field", "sentence"),
    [
        (Annotations(("x" * 201,)), "labels", "A label has 1 to 200 characters; this one has 201."),
        (Annotations(("run", "run")), "labels", "A label stands twice."),
        (Annotations((), ("",)), "captions", "A caption has 1 to 4,000 characters"),
        (Annotations((), tuple("x" for _ in range(1_001))), "captions", "at most 1,000 captions; these are 1,001."),
        (Annotations((), (), (Conversation(()),)), "conversations", "A conversation has 1 to 1,000 turns."),
        (Annotations((), (), (Conversation((Turn("Q?", " "),)),)), "conversations", "An answer has 1 to"),
        (
            Annotations((), (), (Conversation((Turn("Q?", "c", ("a", "b")),)),)),
            "conversations",
            "must be one of its options",
        ),
    ],
)
def test_annotations_beyond_the_limits_are_refused(annotations: Annotations, field: str, sentence: str) -> None:
    problem = annotation_problem(annotations)
    assert problem is not None
    assert problem[0] == field
    assert sentence in problem[1]
