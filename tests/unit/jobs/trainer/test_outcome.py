"""Which held-out clips a finished run shows as samples."""

from jobs.families.protocol import Score
from jobs.spec import ClipSpec
from jobs.trainer.outcome import SAMPLES, sum_up


def test_samples_of_a_classification_show_every_class() -> None:
    labels = ["a"] * 10 + ["b"] * 10 + ["c"] * 2
    clips = [ClipSpec(n, f"/{n}.mp4", label, "", "auto", str(n)) for n, label in enumerate(labels)]
    said = [{"predicted": "a", "confidence": 0.9} for _ in clips]
    summary = sum_up(Score(values={}, summary={}, clips=said), None, clips).summary
    shown = [row["label"] for row in summary["samples"]]
    assert len(shown) == SAMPLES
    assert {label: shown.count(label) for label in "abc"} == {"a": 3, "b": 3, "c": 2}
    assert {row["label"] for row in summary["mistakes"]} == {"b", "c"}
