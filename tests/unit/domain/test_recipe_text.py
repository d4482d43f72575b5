"""A recipe file that was written is read back the same; what cannot be taken is named with its line."""

import json

import pytest
from hypothesis import given, settings

from orchestrator.domain.errors import Invalid, TooLarge
from orchestrator.domain.recipe_text import MAX_BYTES, dump_recipe, read_recipe_text
from orchestrator.domain.recipes import FIELDS, Recipe
from tests.unit.domain.recipe_strategies import recipes


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_a_written_recipe_is_read_back_the_same(recipe: Recipe) -> None:
    for text in (dump_recipe(recipe), json.dumps(recipe.model_dump(mode="json"))):
        found = read_recipe_text(text)
        assert (found.recipe, found.problems, found.missing) == (recipe, [], [])
        assert set(found.given) == set(FIELDS)


def test_each_line_that_is_refused_is_named_and_the_others_are_read() -> None:
    found = read_recipe_text(
        "output_name: My Run\n"
        "qlora:\n"
        "  r: 24\n"
        "  lora_alpha: 48\n"
        "  dropout: 1.5\n"
        "  target_modules: {a: 1}\n"
        "optim: fast\n"
        "optim.epochs: 3\n"
        "learning_rate: 2e-4\n"
        "data:\n"
        "  frames: 8\n"
        "  frames: 16\n"
        "colour: [red,\n   blue]\n"
    )
    assert [(problem.line, problem.field, problem.value) for problem in found.problems] == [
        (1, "output_name", "My Run"),
        (4, "qlora.lora_alpha", "48"),
        (5, "qlora.dropout", "1.5"),
        (6, "qlora.target_modules", "{a: 1}"),
        (7, "optim", "fast"),
        (9, "learning_rate", "2e-4"),
        (12, "data.frames", "16"),
        (13, "colour", "[red, blue]"),
    ]
    sentences = {problem.field: problem.message for problem in found.problems}
    assert sentences["qlora.lora_alpha"].endswith("Did you mean qlora.alpha?")
    assert sentences["learning_rate"].endswith("Did you mean optim.learning_rate?")
    assert sentences["data.frames"] == "data.frames is given twice, first in line 11, which counts."
    assert sentences["qlora.dropout"].startswith("Dropout must be a number from 0 to 0.9")
    assert found.given == {"qlora.r": 24, "data.frames": 8, "optim.epochs": 3}
    assert (found.recipe.qlora.r, found.recipe.data.frames, found.recipe.qlora.dropout) == (24, 8, 0.05)
    assert "optim.seed" in found.missing
    assert "qlora.dropout" not in found.missing


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: &x 1\nb: *x", r"Aliases \(\*name\) are not read\. Write the value itself \(line 2\)\."),
        ("qlora: !!python/object/apply:os.system ['true']", "Tags"),
        ("output_name: !secret x", r"Tags \(!secret\) are not read\. Write the plain value \(line 1\)\."),
        ("optim: {epochs: 3", r"This is not YAML: .*line 1"),
        ("a: [[[[[[[[[[1]]]]]]]]]]", "nested too deep"),
        ("[" * 5000, "nested too deep"),
        ("- a\n- b", "A recipe is a list of names with values"),
        ("", "A recipe is a list of names with values"),
        ("a: 1\n---\nb: 2", "This is not YAML"),
        ("a: \x00", "no text"),
        ("a: \x07", "does not allow"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        read_recipe_text(text)
    assert refused.value.field == "recipe"


def test_a_large_or_binary_file_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_recipe_text("#" * (MAX_BYTES + 1))
    with pytest.raises(Invalid, match="not UTF-8"):
        read_recipe_text(b"\xff\xfe\x00")


@pytest.mark.parametrize("text", ["optim: {seed: 1:30}", "optim: {seed: 0b11}", "optim: {seed: yes}"])
def test_other_forms_of_numbers_are_not_guessed(text: str) -> None:
    found = read_recipe_text(text)
    assert [problem.field for problem in found.problems] == ["optim.seed"]


def test_what_people_write_by_hand_is_read() -> None:
    found = read_recipe_text(
        "\ufeff# mine\noptim: {learning_rate: 2e-4, epochs: 1_0}\noutput_name: 2026\nqlora:\n"
        "  bits: '16'\n  vision: yes\n  target_modules: all-linear\ndata:\n"
    )
    assert found.problems == []
    recipe = found.recipe
    assert (recipe.optim.learning_rate, recipe.optim.epochs, recipe.output_name) == (2e-4, 10, "2026")
    assert (recipe.qlora.bits, recipe.qlora.vision, recipe.qlora.target_modules) == (16, True, ())
