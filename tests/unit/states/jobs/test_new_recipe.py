"""A recipe file fills the wizard: nothing valid is lost, what was not taken is named with its line and its value."""

import pytest
from hypothesis import given, settings

from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_fields import ValueKind
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipe_text import dump_recipe
from orchestrator.domain.recipes import FIELDS, Recipe
from orchestrator.states.jobs import new_values as form
from orchestrator.states.jobs.new_recipe import fill
from orchestrator.states.jobs.new_sweep import EMPTY
from tests.unit.domain.recipe_strategies import recipes

VALUES = form.default_values(30_000_000, "classification") | EMPTY
LAYERS = ["query", "key", "value"]


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_a_recipe_comes_back_out_of_the_form_as_it_was_put_in(recipe: Recipe) -> None:
    layers = [*recipe.qlora.target_modules]
    filled = fill(VALUES, [], layers, dump_recipe(recipe))
    assert (filled.problems, filled.notes) == ({}, [])
    again = form.read_recipe(filled.values, filled.targets, has_layers=False)
    shown = [field for field in FIELDS.values() if field.kind is not ValueKind.LIST and field.is_shown(filled.values)]
    assert {field.name: field.value_in(again) for field in shown} == {
        field.name: field.value_in(recipe) for field in shown
    }
    if recipe.training_type is TrainingType.FINETUNE:
        assert set(again.qlora.target_modules) == set(recipe.qlora.target_modules)
        assert again.qlora.enabled == recipe.qlora.enabled


def test_what_was_not_taken_is_named_and_stays_in_its_field() -> None:
    filled = fill(VALUES, ["query"], LAYERS, "qlora: {r: 999, alpha: 64}\nlora_dropout: 0.1\noptim: {epochs: 3}\n")
    assert (filled.values["qlora.r"], filled.values["qlora.alpha"], filled.values["optim.epochs"]) == ("999", "64", "3")
    assert list(filled.problems) == ["qlora.r"]
    assert [(note.place, note.written) for note in filled.notes] == [("line 1", "999"), ("line 2", "0.1")]
    assert filled.notes[1].text.endswith("Did you mean qlora.dropout?")
    others = len(form.FORM_FIELDS) - len(("qlora.alpha", "optim.epochs"))
    assert filled.summary.replace("\u00a0", " ").startswith(
        f"2 parameters filled in. {others} others stay as they are, not being in the file: "
        "Training type, Continue from, Base weights, "
    )
    assert filled.targets == ["query"]
    assert filled.values | {"qlora.r": "", "qlora.alpha": "", "optim.epochs": ""} == VALUES | {
        "qlora.r": "",
        "qlora.alpha": "",
        "optim.epochs": "",
    }


def test_layers_that_the_base_does_not_have_are_named() -> None:
    filled = fill(VALUES, ["key"], LAYERS, "qlora: {target_modules: [value, q_proj]}")
    assert filled.targets == ["value"]
    assert [(note.text, note.written) for note in filled.notes] == [
        ("The chosen base has no layer q_proj.", "value, q_proj")
    ]
    assert fill(VALUES, ["key"], LAYERS, "qlora: {target_modules: [q_proj]}").targets == ["key"]
    assert fill(VALUES, ["key"], LAYERS, "qlora: {target_modules: all-linear}").targets == LAYERS


def test_adapters_that_are_off_stay_off_until_a_recipe_has_them_on() -> None:
    filled = fill(VALUES, ["key"], LAYERS, "qlora: {enabled: false}")
    assert not form.read_recipe(filled.values, filled.targets).qlora.enabled
    other = fill(filled.values, ["key"], LAYERS, "optim: {epochs: 3}")
    assert not form.read_recipe(other.values, other.targets).qlora.enabled
    again = fill(other.values, ["key"], LAYERS, "qlora: {enabled: true}")
    assert form.read_recipe(again.values, again.targets).qlora.enabled


def test_a_file_that_is_no_recipe_changes_nothing() -> None:
    with pytest.raises(Invalid, match="A recipe is a list of names with values"):
        fill(VALUES, [], LAYERS, "hello")


@pytest.mark.parametrize("value", [1.23456789e-4, 0.1, 1 / 3, 5e-324, 1e-7, 12345.678901, 1e22, 0.0])
def test_a_number_keeps_all_its_digits(value: float) -> None:
    assert float(form.field_text(value)) == value
