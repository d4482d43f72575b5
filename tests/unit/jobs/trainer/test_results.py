"""Which held-out clips a finished run shows as samples."""

from jobs.families.captioning import SAMPLED_CLIPS, evenly_spaced
from jobs.families.protocol import Score
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.results import SAMPLES, QuestionKey, summarize_evaluation
from orchestrator.domain.run_summary import Prediction
from orchestrator.domain.tasks import AnswerKind


def test_samples_of_a_classification_show_every_class() -> None:
    labels = ["a"] * 10 + ["b"] * 10 + ["c"] * 2
    clips = [ClipSpec(n, f"/{n}.mp4", label, "", "auto", str(n)) for n, label in enumerate(labels)]
    said = [Prediction(predicted="a", confidence=0.9) for _ in clips]
    summary = summarize_evaluation(Score(clips=said), AnswerKind.CLASSES, None, clips).summary
    shown = [row.label for row in summary.samples]
    assert len(shown) == SAMPLES
    assert {label: shown.count(label) for label in "abc"} == {"a": 3, "b": 3, "c": 2}
    assert {row.label for row in summary.mistakes} == {"b", "c"}


def test_the_same_clips_are_shown_on_the_way_and_at_the_end() -> None:
    """On the way only some clips are asked, and each answer goes to its own."""
    clips = [ClipSpec(n, f"/{n}.mp4", "", f"caption {n}", "auto", str(n), f"{n}.mp4") for n in range(100)]
    every = [Prediction(clip_id=c.id, reference=c.caption, predicted=c.caption) for c in clips]
    before: dict[QuestionKey, str] = {(clip.id, 0): "nothing" for clip in clips}
    shown = summarize_evaluation(Score(clips=every), AnswerKind.TEXT, clips=clips, before=before).samples
    some = summarize_evaluation(
        Score(clips=evenly_spaced(every, SAMPLED_CLIPS)), AnswerKind.TEXT, clips=clips, before=before
    ).samples
    assert len(shown) == SAMPLES
    assert some == shown
    assert all(row.name == f"{row.clip_id}.mp4" for row in shown)


def test_the_same_questions_are_shown_on_the_way_and_at_the_end() -> None:
    clips = [ClipSpec(n, f"/{n}.mp4", "", "", "auto", str(n), f"{n}.mp4") for n in range(40)]
    every = [
        Prediction(clip_id=c.id, number=n, question=f"Question {n}?", reference=f"{c.id}", predicted="x")
        for c in clips
        for n in range(3)
    ]
    before: dict[QuestionKey, str] = {row.key: f"base {row.number}" for row in every}
    on_the_way = [every[3 * clip.id + place % 3] for place, clip in enumerate(evenly_spaced(clips, SAMPLED_CLIPS))]
    first, last = (
        summarize_evaluation(Score(clips=rows), AnswerKind.TEXT, clips=clips, before=before)
        for rows in (on_the_way, every)
    )
    assert first.samples == last.samples
    assert len(last.predictions) == 120
    assert {row.before for row in last.samples} == {"base 0", "base 1", "base 2"}
    assert all(row.name == f"{row.clip_id}.mp4" for row in last.predictions)


def test_a_sentence_is_no_class_where_the_clip_has_a_label_too() -> None:
    """A captioning run over clips that also carry a label shows sentences, and calls none of them misclassified."""
    clips = [ClipSpec(n, f"/{n}.mp4", "sports", f"caption {n}", "auto", str(n), f"{n}.mp4") for n in range(3)]
    rows = [Prediction(clip_id=c.id, reference=c.caption, predicted="something else") for c in clips]
    before: dict[QuestionKey, str] = {(clip.id, 0): "nothing" for clip in clips}
    summary = summarize_evaluation(Score(clips=rows), AnswerKind.TEXT, clips=clips, before=before).summary
    assert {row.kind for row in summary.samples} == {"text"}
    assert "mistakes" not in summary.to_json()
