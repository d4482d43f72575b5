"""One set of defaults: by base, task and dataset, each with where it is from."""

from typing import Any

import pytest

from orchestrator.domain.recipe_defaults import BaseFacts, DatasetFacts, defaults, fill_in
from orchestrator.domain.recipes import FIELDS, Recipe, parse_recipe
from orchestrator.domain.tasks import Task

TINY = BaseFacts(600_000, "videomae")
CASES: list[tuple[BaseFacts, Task, DatasetFacts, dict[str, Any]]] = [
    (TINY, Task.CLASSIFICATION, DatasetFacts(), {}),
    (TINY, Task.CAPTIONING, DatasetFacts(), {"optim.batch_size": 8, "optim.epochs": 20, "qlora.dropout": 0}),
    (
        BaseFacts(7_000_000_000, "qwen2_5_vl"),
        Task.CAPTIONING,
        DatasetFacts(),
        {"optim.learning_rate": 1e-4, "optim.epochs": 2, "optim.batch_size": 4, "optim.gradient_accumulation": 2},
    ),
    (
        BaseFacts(2_000_000_000, "smolvlm"),
        Task.CAPTIONING,
        DatasetFacts(),
        {"optim.learning_rate": 2e-4, "optim.epochs": 2, "optim.batch_size": 4, "optim.gradient_accumulation": 2},
    ),
    (
        BaseFacts(35_000_000_000, "qwen3_5_moe"),
        Task.CAPTIONING,
        DatasetFacts(),
        {"optim.learning_rate": 1e-4, "optim.epochs": 2, "optim.batch_size": 4, "optim.gradient_accumulation": 2}
        | {"qlora.bits": 16},
    ),
    (
        BaseFacts(35_000_000_000, "gemma4", has_experts=True),
        Task.CAPTIONING,
        DatasetFacts(),
        {"optim.learning_rate": 1e-4, "optim.epochs": 2, "optim.batch_size": 4, "optim.gradient_accumulation": 2}
        | {"qlora.bits": 16},
    ),
    (
        BaseFacts(86_000_000, "videomae"),
        Task.CLASSIFICATION,
        DatasetFacts(),
        {"optim.learning_rate": 2e-4, "optim.head_lr": 2e-3, "optim.epochs": 6}
        | {"optim.batch_size": 4, "optim.gradient_accumulation": 2},
    ),
    (
        BaseFacts(150_000_000, "clip"),
        Task.RETRIEVAL,
        DatasetFacts(5_000),
        {"optim.learning_rate": 2e-4, "optim.epochs": 6, "optim.batch_size": 64},
    ),
    (
        BaseFacts(150_000_000, "clip"),
        Task.RETRIEVAL,
        DatasetFacts(24, largest_batch=32),
        {"optim.learning_rate": 2e-4, "optim.epochs": 6, "optim.batch_size": 24},
    ),
]


@pytest.mark.parametrize(("base", "task", "dataset", "differs"), CASES)
def test_defaults_by_base_task_and_dataset(
    base: BaseFacts, task: Task, dataset: DatasetFacts, differs: dict[str, Any]
) -> None:
    found = defaults(base, task, dataset)
    assert found.keys() == FIELDS.keys() - {"output_name"}
    assert all(default.source.endswith(".") for default in found.values())
    own = {name: field.value_in(Recipe()) for name, field in FIELDS.items()}
    assert {name: d.value for name, d in found.items() if d.value != own[name] and own[name] != ()} == differs
    recipe = parse_recipe(fill_in({}, found))
    assert {name: FIELDS[name].value_in(recipe) for name in differs} == differs


def test_what_is_given_stays() -> None:
    found = defaults(BaseFacts(86_000_000, "videomae"), Task.CLASSIFICATION)
    filled = fill_in({"optim": {"learning_rate": "5e-5"}, "output_name": "mine"}, found)
    assert (filled["optim"]["learning_rate"], filled["optim"]["head_lr"]) == ("5e-5", 2e-3)
    assert parse_recipe(fill_in({"training_type": "pretrain"}, found)).optim.head_lr is None
    assert fill_in({"optim": "broken"}, found)["optim"] == "broken"
