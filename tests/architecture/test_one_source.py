"""A task and a recipe field are declared once: one more of either, in `domain` alone, appears everywhere by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.settings import ROOT


def _seen_with(addition: str, data: Path) -> dict[str, Any]:
    """What tests/fakes/extended_domain.py sees with a task, a field or a kind of annotation more."""
    program = [sys.executable, "-m", "tests.fakes.extended_domain", addition]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOREEL_")}
    env["LOREEL_DATA_DIR"] = str(data)
    done = subprocess.run(program, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _seen_with("task", tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _seen_with("field", tmp_path_factory.mktemp("field"))


def test_a_fourth_task_can_be_stored_and_asked_for(task: dict[str, Any]) -> None:
    assert task["stored"] == ["localization"]
    tasks = "classification, captioning, localization, retrieval"
    assert task["rest"] == [
        f"Invalid: Choose one of: {tasks}.",
        f"Invalid: Choose from: {tasks}.",
        "Invalid: Choose from: video_classification, video_captioning, video_localization, video_retrieval.",
    ]


def test_a_fourth_task_stands_in_every_form_and_filter(task: dict[str, Any]) -> None:
    assert [
        name for name, page in zip(("dataset", "model"), task["forms"], strict=True) if "Localization" not in page
    ] == []
    datasets, models, adapters = task["filters"]
    assert "Localization" in datasets
    assert "Video localization" in models
    assert "Localization" in adapters
    assert (task["card"], task["model"]) == ("Localization", "Video localization")


def test_a_fourth_task_trains_the_models_that_fit(task: dict[str, Any]) -> None:
    assert set(task["fits"]) == {"CAPTIONING", "LOCALIZATION", "RETRIEVAL"}, "those that learn from the same annotation"
    assert task["mismatch"] == ["CLASSIFICATION is made for classification, and clips for localization."]


def test_a_fourth_task_explains_itself_in_the_job_form(task: dict[str, Any]) -> None:
    finetune, pretrain, head = task["learns"]
    assert (finetune, pretrain) == ("Adapters learn the times of the dataset.", "The whole base learns times.")
    assert head.endswith("The time head is trained whole.")
    assert task["defaults"] == "12"


def test_a_fourth_task_brings_its_metrics(task: dict[str, Any]) -> None:
    assert task["metrics"] == ["Best tIoU", "tIoU", "tIoU"]


def test_a_new_field_has_its_position_in_the_form(field: dict[str, Any]) -> None:
    assert field["neighbours"] == ["optim.max_grad_norm", "optim.seed"]
    assert 'id:"field-optim-averaging"' in field["page"]
    assert "Averaging" in field["page"]
    assert "0: off" in field["page"]
    assert field["read"] == 0.5


def test_a_new_field_has_the_same_sentence_in_form_and_rest(field: dict[str, Any]) -> None:
    sentence = "Averaging must be a number from 0 to 0.999."
    assert field["form_error"] == {"optim.averaging": sentence}
    assert field["rest_error"] == f"Invalid: {sentence}"


def test_a_new_field_can_be_swept_reviewed_and_compared(field: dict[str, Any]) -> None:
    assert (field["sweep"], field["title"], field["review"]) == ("Averaging", "Averaging", ["0.5"])
    assert field["combinations"] == [0.1, 0.2]


def test_a_new_field_is_documented(field: dict[str, Any]) -> None:
    [[name, kind, default, description]] = field["docs"]
    assert (name, default) == ("optim.averaging", "`0`")
    assert "at most 0.999" in kind
    assert description == "Share of the earlier weights in the average that is kept."
    assert field["docs_page"]


def test_a_new_kind_of_annotation_is_never_taken_for_another(tmp_path: Path) -> None:
    """Each place that has to be taught refuses it; before that, the type checker names the place."""
    refusals = _seen_with("kind", tmp_path)
    assert len(refusals) >= 7
    assert {place: said for place, said in refusals.items() if not said.startswith("AssertionError")} == {}
