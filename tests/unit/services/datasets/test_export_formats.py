"""What is exported is imported as the same dataset, in each format for what it can hold; the rest is counted."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.annotations import Annotations, Conversation, Span, Turn
from orchestrator.domain.datasets import Split
from orchestrator.domain.formatting import NBSP
from orchestrator.services.datasets.export_formats import FORMATS, ExportedClip, Lost, lost_sentences
from orchestrator.services.datasets.ingest.layouts.detect import detect_layout
from orchestrator.services.datasets.ingest.layouts.tree import Tree

WORDS = (
    "a cat",
    "Grün",
    "=1+1",
    '"quoted"',
    "x, y",
    "12",
    "it's",
    "狗",
    "run;jump",
    "a|b",
    "[list]",
    "nan",
    "-",
    "2.0",
)
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
LINES = st.lists(TEXT, min_size=1, max_size=3).map("\n".join)
OPTIONS = st.lists(TEXT, min_size=2, max_size=4, unique=True)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    if draw(st.booleans()):
        return Turn(draw(LINES), draw(LINES))
    options = draw(OPTIONS)
    return Turn(draw(TEXT), draw(st.sampled_from(options)), tuple(options))


CONVERSATIONS = st.builds(
    Conversation, st.lists(turns(), min_size=1, max_size=3).map(tuple), st.one_of(st.just(""), TEXT)
)
ANNOTATIONS = st.builds(
    Annotations,
    st.lists(TEXT, max_size=3, unique=True).map(tuple),
    st.lists(LINES, max_size=3, unique=True).map(tuple),
    st.lists(CONVERSATIONS, max_size=2, unique=True).map(tuple),
).filter(lambda annotations: bool(annotations.kinds))


@st.composite
def datasets(draw: st.DrawFn) -> list[ExportedClip]:
    clips: list[ExportedClip] = []
    for number in range(draw(st.integers(1, 4))):
        split = draw(st.sampled_from(Split))
        starts = draw(st.one_of(st.just([None]), st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True)))
        for start in starts:
            span = None if start is None else Span(float(start), start + 1.5)
            clips.append(ExportedClip(f"clips/{number}-film.mp4", draw(ANNOTATIONS), split, span, 12.0))
    return clips


def imported(clips: list[ExportedClip], texts: dict[str, str]) -> dict[tuple[str, Span | None], ExportedClip]:
    """The clips of an import of these annotation files beside the clips."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_text(text, newline="")
        layout = detect_layout(Tree(Path(folder), [*{clip.file for clip in clips}, *texts]))
    return {
        entry.key: ExportedClip(entry.name, entry.annotations, entry.split, entry.span, 12.0)
        for entry in layout.entries
        if not entry.problem
    }


def flat(annotations: Annotations) -> Annotations:
    """The annotations with the options as a part of each question, as a chat writes them."""
    return Annotations(
        annotations.labels,
        annotations.captions,
        tuple(
            Conversation(tuple(Turn(turn.asked, turn.answer) for turn in talk.turns), talk.system)
            for talk in annotations.conversations
        ),
    )


@pytest.mark.parametrize("form", ["videofolder", "csv"])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(clips=datasets())
def test_tables_hold_everything(form: str, clips: list[ExportedClip]) -> None:
    files = FORMATS[form][1](clips)
    assert not +files.lost
    assert imported(clips, files.texts) == {(clip.file, clip.span): clip for clip in clips}


@pytest.mark.parametrize("form", ["sharegpt", "swift"])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(clips=datasets())
def test_chats_hold_all_turns_of_uncut_films(form: str, clips: list[ExportedClip]) -> None:
    files = FORMATS[form][1](clips)
    whole = [clip for clip in clips if clip.span is None]
    assert +files.lost == +Counter({Lost.SPAN: len(clips) - len(whole)})
    assert files.clips == whole
    found = imported(clips, files.texts) if whole else {}
    expected = {clip.file: (flat(clip.annotations), clip.split) for clip in whole}
    assert {name: (clip.annotations, clip.split) for (name, _), clip in found.items()} == expected


@settings(max_examples=25, deadline=None, derandomize=True)
@given(clips=datasets())
def test_activitynet_holds_labels_and_captions_of_spans(clips: list[ExportedClip]) -> None:
    files = FORMATS["activitynet"][1](clips)
    assert files.lost[Lost.CONVERSATION] == sum(len(clip.annotations.conversations) for clip in clips)
    expected = {
        (clip.file, clip.span): (Annotations(clip.annotations.labels, clip.annotations.captions), clip.split)
        for clip in clips
        if clip.annotations.labels or clip.annotations.captions
    }
    found = imported(clips, files.texts) if expected else {}
    assert {key: (clip.annotations, clip.split) for key, clip in found.items()} == expected


def test_a_film_has_one_split_in_activitynet() -> None:
    captions = Annotations(captions=("a cat",))
    clips = [
        ExportedClip("clips/1-a.mp4", captions, split, Span(start, start + 1), 9.0)
        for start, split in ((0.0, Split.TRAIN), (2.0, Split.VALIDATION))
    ]
    assert +FORMATS["activitynet"][1](clips).lost == Counter({Lost.SPLIT: 1})


def test_what_is_lost_is_counted_in_sentences() -> None:
    sentences = lost_sentences({Lost.SPAN: 2, Lost.CONVERSATION: 0, Lost.FILE: 1}, "ShareGPT")
    assert [sentence.replace(NBSP, " ") for sentence in sentences] == [
        "Not in this export: 2 spans of films, which ShareGPT cannot hold.",
        "Not in this export: 1 clip whose file is not there any more.",
    ]
