"""An unknown name is answered with the parameter that it probably means, and with none where that is a guess."""

import pytest

from orchestrator.domain.recipe_names import OTHER_NAMES, unknown_parameter
from orchestrator.domain.recipes import FIELDS


def test_every_other_name_means_a_parameter() -> None:
    assert set(OTHER_NAMES.values()) <= set(FIELDS)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("optim.warmup_steps", "optim.warmup_ratio"),
        ("lora_alpha", "qlora.alpha"),
        ("optim.learning_rat", "optim.learning_rate"),
        ("epochs", "optim.epochs"),
        ("qlora.use_dora", ""),
        ("optim.x", ""),
        ("colour", ""),
    ],
)
def test_a_name_is_answered_with_what_it_means(name: str, meant: str) -> None:
    expected = f" Did you mean {meant}?" if meant else ""
    assert unknown_parameter(name, FIELDS) == f"There is no parameter {name!r}.{expected}"
