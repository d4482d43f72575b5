"""Checks the wizard's text fields: defaults, recipe and back, one message for each invalid field."""

import pytest

from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.states.jobs import new_values as form

TINY, LARGE = 600_000, 300_000_000


def test_defaults_make_a_recipe() -> None:
    for parameters in (0, TINY, LARGE):
        recipe = form.read_recipe(form.default_values(parameters), ["qkv"])
        assert recipe.qlora.r == 16
        assert recipe.qlora.target_modules == ("qkv",)


def test_recipe_survives_the_way_through_text() -> None:
    recipe = Recipe.model_validate(
        {
            "qlora": {"r": 24, "alpha": 24, "dropout": 0.1, "target_modules": ["query", "value"]},
            "optim": {"learning_rate": 3.5e-5, "epochs": 3, "scheduler": "linear", "seed": 11, "max_steps": 40},
            "data": {"frames": 4, "validation_share": 0.3},
            "output_name": "my-run-1",
        }
    )
    values = form.values_from_recipe(recipe)
    assert form.read_recipe(values, ["query", "value"]) == recipe
    assert form.read_recipe(values | {"optim.max_steps": " "}, ["query"]).optim.max_steps is None
    assert list(form.problems_in(values | {"optim.max_steps": "0"}, ["query"])) == ["optim.max_steps"]
    # Everything that a script can ask for can be typed: a clone would lose it otherwise.
    asked = {
        f"{part}.{name}"
        for part in ("qlora", "optim", "data", "eval", "augment", "machine")
        for name in getattr(recipe, part).model_dump()
    }
    assert asked - set(form.FORM_FIELDS) == {"qlora.enabled"}


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("qlora.r", "-4", "Rank must be a whole number from 1 to 256"),
        ("qlora.r", "", "Rank must be a whole number from 1 to 256"),
        ("optim.learning_rate", "abc", "Learning rate must be a number above 0"),
        ("optim.learning_rate", "nan", "Learning rate must be a number above 0"),
        ("optim.epochs", "1.5", "Epochs must be a whole number"),
        ("optim.max_steps", "5,000", "Steps at most must be a whole number from 1"),
        ("optim.seed", "7.000", "Seed must be a whole number"),
        ("qlora.dropout", "0,95", "Dropout must be a number from 0 to 0.9"),
        ("output_name", "My run", "Use lower-case letters"),
    ],
)
def test_bad_field_gets_its_sentence(field: str, text: str, sentence: str) -> None:
    problems = form.problems_in(form.default_values(TINY) | {field: text}, ["qkv"])
    assert list(problems) == [field]
    assert problems[field].startswith(sentence)


def test_problems_stand_in_the_order_of_the_page() -> None:
    values = form.default_values(TINY) | {"output_name": "", "qlora.r": "-1", "optim.epochs": "x"}
    with pytest.raises(Invalid) as caught:
        form.read_recipe(values, [])
    assert [field for field, _ in caught.value.problems] == [
        "qlora.r",
        "qlora.target_modules",
        "optim.epochs",
        "output_name",
    ]
    assert caught.value.field == "qlora.r"


def test_comma_is_a_decimal_point() -> None:
    assert form.read_recipe(form.default_values(TINY) | {"qlora.dropout": "0,1"}, ["qkv"]).qlora.dropout == 0.1


def test_presets_are_recognised() -> None:
    for key, _ in form.PRESETS:
        assert form.matching_preset(form.preset_values(key, TINY), TINY) == key
    assert form.matching_preset(form.default_values(TINY) | {"qlora.r": "12"}, TINY) == ""


def test_a_preset_lifts_the_limit_on_steps() -> None:
    """Its epochs decide how long it trains: with an earlier limit of steps "Best quality" would end too soon."""
    limited = form.default_values(TINY) | {"optim.max_steps": "50"}
    assert form.matching_preset(limited, TINY) == ""
    assert form.matching_preset(limited | form.preset_values("best", TINY), TINY) == "best"


@pytest.mark.parametrize(
    ("dataset", "model", "rank", "name"),
    [
        ("Shapes in motion", "Tiny VideoMAE", "16", "shapes-in-motion-tiny-videomae-r16"),
        ("Ä/..", "!!", "abc", "adapter"),
        ("a" * 90, "b", "8", "a" * 61 + "-r8"),
    ],
)
def test_output_name(dataset: str, model: str, rank: str, name: str) -> None:
    assert form.output_name(dataset, model, rank) == name


def test_output_name_is_always_accepted() -> None:
    values = form.default_values(TINY) | {"output_name": form.output_name("Ä 1/..", "..", "8")}
    assert form.problems_in(values, ["qkv"]) == {}


def test_sentences_get_more_epochs_on_a_tiny_base() -> None:
    captions = form.default_values(TINY - 1, "captioning")
    assert (captions["optim.batch_size"], captions["optim.epochs"], captions["qlora.dropout"]) == ("8", "20", "0")
    assert form.matching_preset(captions, TINY - 1, "captioning") == "balanced"
    other = form.default_values(LARGE, "captioning")
    assert form.default_values(LARGE) == other | {"optim.head_lr": "2e-3"}


def test_each_training_type_says_what_is_learned() -> None:
    assert "classes" in form.training_note("finetune", "classification")
    assert "hidden from it" in form.training_note("pretrain", "classification")
    assert "one word after the other" in form.training_note("pretrain", "captioning")
    assert "a clip's own caption" in form.training_note("pretrain", "retrieval")
    assert form.training_note("", "") == form.training_note("finetune", "classification")


def test_switches_go_there_and_back() -> None:
    recipe = parse_recipe({"qlora": {"vision": True}, "optim": {"optimizer": "adamw_8bit"}})
    values = form.values_from_recipe(recipe)
    assert (values["qlora.vision"], values["optim.liger"], values["optim.optimizer"]) == ("true", "", "adamw_8bit")
    assert form.read_recipe(values, ["q_proj"]).qlora.vision
    assert form.read_recipe(values | {"qlora.vision": ""}, ["q_proj"]).qlora.vision is False
    assert form.problems_in(values | {"optim.optimizer": "sgd"}, ["q_proj"]) == {
        "optim.optimizer": "The optimizer must be auto, adamw or adamw_8bit."
    }


def test_the_note_about_trained_parts_matches_the_base() -> None:
    assert form.head_note("classification", False).endswith("The classifier head is trained whole.")
    assert form.head_note("captioning", True) == "Each chosen kind of layer gets an adapter."
    assert form.head_note("captioning", False).endswith("what speaks them are trained whole.")
    assert form.head_note("retrieval", False).endswith("Both projections are trained whole.")


def test_hidden_fields_cannot_block_the_form() -> None:
    values = form.default_values(1) | {"output_name": "a-run", "qlora.r": "many", "machine.memory_gb": "much"}
    assert list(form.problems_in(values, ["query"])) == ["qlora.r"]
    assert form.problems_in(values | {"training_type": "pretrain"}, []) == {}
    assert "machine.memory_gb" in form.problems_in(values | {"machine.kind": "gpu"}, ["query"])
    kept = form.read_recipe(form.default_values(1) | {"output_name": "a-run", "machine.memory_gb": "24"}, ["query"])
    assert kept.machine.need.kind == "any"


def test_a_preset_leaves_nothing_that_is_wrong_elsewhere() -> None:
    broken = form.default_values(TINY) | {
        "qlora.dropout": "2", "optim.learning_rate": "abc", "optim.batch_size": "0", "optim.epochs": "-3",
        "output_name": "mine",
    }  # fmt: skip
    assert form.count_changed(broken, TINY) >= 4
    values = form.reset_values(broken, "balanced", TINY)
    assert form.problems_in(values, ["qkv"]) == {}
    assert values["output_name"] == "mine"
    assert form.count_changed(values, TINY) == 0
    assert form.matching_preset(form.reset_values(broken, "best", TINY), TINY) == "best"
