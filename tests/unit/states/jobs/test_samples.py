"""What the job page says about single clips: queries with ranked clips, captions, misclassified clips."""

from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.states.jobs.samples import chance_note, mistakes_of, result_of, samples_of


def test_a_search_shows_its_clips_in_order() -> None:
    top = [{"clip_id": 4, "score": 0.91, "right": False}, {"clip_id": 9, "score": 0.9, "right": True}]
    (sample,) = samples_of(
        RunSummary.from_json(
            {"samples": [{"kind": "clips", "clip_id": 9, "reference": "a red ring hops", "rank": 2, "top": top}]}
        )
    )
    assert (sample.title, sample.note, sample.mark) == ("a red ring hops", "Found at rank 2", "")
    assert [(clip.picture, clip.note, clip.right) for clip in sample.clips] == [
        ("/api/v1/clips/4/thumbnail", "0.91", False),
        ("/api/v1/clips/9/thumbnail", "0.90", True),
    ]


def test_a_caption_is_shown_with_its_reference() -> None:
    rows = [
        {
            "kind": "text",
            "clip_id": 1,
            "name": "a.mp4",
            "label": "up",
            "reference": "x",
            "predicted": "y",
            "before": "z",
        }
    ]
    (sample,) = samples_of(RunSummary.from_json({"samples": rows}))
    assert (sample.title, sample.note, sample.mark) == ("y", "Expected: x", "")
    assert sample.before == "Before the training: z"
    assert sample.clips[0].preview == "/api/v1/clips/1/preview"


def test_an_answer_is_shown_below_its_question() -> None:
    row = {"kind": "text", "clip_id": 1, "question": "What moves?", "reference": "a disc", "predicted": "A disc."}
    rows = [
        row | {"score": 1.0},
        row | {"score": 0.0, "predicted": "nothing"},
        row | {"score": 1.0, "predicted": "a disc"},
    ]
    samples = samples_of(RunSummary.from_json({"samples": rows}))
    assert {sample.question for sample in samples} == {"What moves?"}
    assert [(sample.title, sample.note, sample.mark) for sample in samples] == [
        ("nothing", "Expected: a disc", "wrong"),
        ("A disc.", "Counts as right; expected: a disc", "right"),
        ("a disc", "As expected", "right"),
    ]


def test_a_class_says_what_was_predicted_and_what_the_label_is_the_wrong_ones_first() -> None:
    row = {"kind": "classes", "clip_id": 1, "name": "a.mp4", "label": "up", "predicted": "up", "confidence": 0.94}
    summary = RunSummary.from_json({"samples": [row, row | {"predicted": "down"}], "class_names": ["up", "down"]})
    wrong, right = samples_of(summary)
    assert (right.title, right.note, right.mark) == ("Predicted up 94\u202f%", "Label up", "right")
    assert (wrong.title, wrong.note, wrong.mark) == ("Predicted down 94\u202f%", "Label up", "wrong")
    assert {right.before, wrong.before} == {""}
    assert chance_note(summary) == "before the training each is a guess among 2 classes"


def test_mistakes() -> None:
    rows = [{"clip_id": 3, "name": "b.mp4", "label": "zooming", "predicted": "bouncing", "confidence": 0.8}]
    (wrong,) = mistakes_of(RunSummary.from_json({"mistakes": rows}))
    assert wrong.title == "Predicted bouncing 80\u202f%"
    assert (wrong.note, wrong.clips[0].note) == ("Label zooming", "b.mp4")
    summary = {"confusion_matrix": [[1, 0], [2, 3]], "class_names": ["bouncing", "zooming"]}
    assert result_of(RunSummary.from_json(summary)).confusion[1].cells[0].pair == wrong.pair
    assert mistakes_of(RunSummary.from_json({})) == samples_of(RunSummary.from_json({})) == []


def test_every_metric_is_compared_with_the_base() -> None:
    summary = {
        "task": "retrieval", "eval_r1": 0.875, "eval_r5": 1.0, "eval_median_rank": 1.0, "validation_clips": 48,
        "baseline": {"eval_r1": 0.25, "eval_median_rank": 6.0},
    }  # fmt: skip
    result = result_of(RunSummary.from_json(summary))
    assert result.clips == "R@1 on 48\xa0validation clips"
    assert [(item.label, item.now[:2], item.before[:2]) for item in result.metrics] == [
        ("R@1", "87", "25"), ("R@5", "10", ""), ("Median rank", "1", "6"),
    ]  # fmt: skip


def test_samples_of_an_earlier_version_are_of_their_runs_task() -> None:
    row = {"clip_id": 9, "name": "a.mp4", "reference": "a red ring hops", "predicted": "a ring", "rank": 3, "label": ""}
    (search,) = samples_of(RunSummary.from_json({"task": "retrieval", "samples": [row]}))
    (caption,) = samples_of(RunSummary.from_json({"task": "captioning", "samples": [row]}))
    assert (search.note, caption.note) == ("Found at rank 3", "Expected: a red ring hops")


def test_the_result_names_what_it_is_compared_with_and_why_there_is_no_matrix() -> None:
    guessed = {"task": "classification", "eval_accuracy": 0.5, "class_names": [f"c{number}" for number in range(200)]}
    result = result_of(RunSummary.from_json(guessed))
    assert (result.baseline, result.confusion) == ("chance", [])
    assert result.matrix_note == "The confusion matrix of 200 classes is too large to show."
    asked = result_of(RunSummary.from_json({"task": "captioning", TASKS["captioning"].headline("").name: 0.5}))
    assert (asked.baseline, asked.matrix_note) == ("base", "")


def test_a_result_is_compared_with_what_was_measured_before_the_first_step() -> None:
    names = {task.value: TASKS[task].baseline_name(continues=True) for task in Task}
    assert names == {
        "classification": "chance",
        "captioning": "continued adapter",
        "retrieval": "continued adapter",
    }
    for name, shown in (("continued adapter", "continued adapter"), ("", "base")):
        summary = RunSummary(task=Task.CAPTIONING, baseline_name=name, validation_clips=4)
        assert result_of(summary.merged(RunSummary.of_values({"eval_exact": 0.5}))).baseline == shown
