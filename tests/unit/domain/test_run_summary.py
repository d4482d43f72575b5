"""What a run reached is one typed document: older files open, nothing is lost on the way, what does not fit is left."""

import json
from pathlib import Path
from typing import Any

from orchestrator.domain.run_summary import Prediction, RunSummary

FACTS = Path(__file__).parents[2] / "data" / "former_data_folder" / "facts-0.1.json"


def test_a_summary_of_the_former_version_is_read_and_written_without_a_change() -> None:
    for job in json.loads(FACTS.read_text())["jobs"]:
        assert json.loads(json.dumps(RunSummary.from_json(job["summary"]).to_json())) == job["summary"]


def test_fields_and_values() -> None:
    (job, *_) = json.loads(FACTS.read_text())["jobs"]
    summary = RunSummary.from_json(job["summary"])
    assert summary.confusion_matrix == job["summary"]["confusion_matrix"]
    assert summary.value("eval_accuracy") == job["summary"]["eval_accuracy"]
    assert summary.best("eval_accuracy") == job["summary"]["best_eval_accuracy"]
    assert set(summary.latest) == {"loss", "learning_rate", "grad_norm", "samples_per_s", "eval_loss", "eval_accuracy"}
    assert [list(step) for step in summary.samples[0].trail] == job["summary"]["samples"][0]["trail"]


def test_what_does_not_fit_is_left_and_the_rest_is_read() -> None:
    strange: dict[str, Any] = {
        "confusion_matrix": "none",
        "samples": None,
        "final_step": 7,
        "later": {"x": 1},
        "ok": True,
    }
    summary = RunSummary.from_json(strange)
    assert (summary.confusion_matrix, summary.samples, summary.final_step, summary.values) == ([], [], 7, {})
    assert summary.to_json()["later"] == {"x": 1}


def test_the_later_one_has_the_last_word_on_what_it_sets() -> None:
    first = RunSummary(eta_s=3.0, task="captioning").merged(RunSummary.of_values({"loss": 2.0}))
    both = first.merged(RunSummary(eta_s=None, samples=[Prediction(clip_id=3)]))
    assert both.to_json() == {"task": "captioning", "eta_s": None, "samples": [{"clip_id": 3}], "loss": 2.0}
    assert first.lasting().to_json() == {"task": "captioning", "loss": 2.0}
