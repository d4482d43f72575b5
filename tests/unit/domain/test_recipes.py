"""Rules of a recipe that several parts of the product follow."""

import re
from itertools import pairwise
from typing import Any

import pytest

from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_fields import Section, ValueKind
from orchestrator.domain.recipes import FIELDS, parse_recipe, smaller_batch


@pytest.mark.parametrize("batch", range(1, 65))
@pytest.mark.parametrize("accumulation", [1, 3])
def test_a_smaller_batch_trains_on_as_many_clips_a_step(batch: int, accumulation: int) -> None:
    smaller = smaller_batch(batch, accumulation)
    assert (smaller is None) is (batch == 1)
    if smaller is not None:
        assert smaller[0] < batch
        assert smaller[0] * smaller[1] == batch * accumulation


def _with(name: str, value: Any) -> dict[str, Any]:
    part, _, leaf = name.rpartition(".")
    return {part: {leaf: value}} if part else {leaf: value}


@pytest.mark.parametrize("name", FIELDS)
def test_a_wrong_value_gets_the_sentence_of_its_field(name: str) -> None:
    """Never pydantic's own words: a scheduler, a training type and QLoRA's switch once were answered with them."""
    with pytest.raises(Invalid) as refused:
        parse_recipe(_with(name, {"no": "value"}))
    assert refused.value.problems == [(name, FIELDS[name].spec.sentence)]


def test_what_is_no_field_is_named() -> None:
    with pytest.raises(Invalid, match=re.escape("There is no parameter 'optim.rate'.")):
        parse_recipe({"optim": {"rate": 1}})
    with pytest.raises(Invalid, match="optim must be an object"):
        parse_recipe({"optim": 3})


@pytest.mark.parametrize(
    "name", [name for name, field in FIELDS.items() if field.kind in (ValueKind.COUNT, ValueKind.NUMBER)]
)
def test_a_sentence_states_the_limits_that_are_checked(name: str) -> None:
    told = {float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", FIELDS[name].spec.sentence)}
    limits = {
        float(getattr(limit, sign))
        for limit in FIELDS[name].info.metadata
        for sign in ("ge", "gt", "le", "lt")
        if hasattr(limit, sign)
    }
    assert limits
    assert limits <= told


def test_a_sentence_names_the_choices_that_are_offered() -> None:
    for field in FIELDS.values():
        assert all(value in field.spec.sentence for value, _ in field.spec.choices), field.name
        if field.kind is ValueKind.CHOICE:
            for value, _ in field.spec.choices:
                parse_recipe(_with(field.name, value))


def test_fields_stand_in_the_order_of_the_page() -> None:
    orders = [field.spec.order for field in FIELDS.values()]
    assert len(set(orders)) == len(orders)
    assert orders == sorted(orders)
    sections = [field.spec.section for field in FIELDS.values()]
    assert list(dict.fromkeys(sections)) == list(Section)
    assert len(list(dict.fromkeys(sections))) == 1 + sum(a != b for a, b in pairwise(sections))


def test_a_field_that_depends_on_another_names_one_of_its_choices() -> None:
    for field in FIELDS.values():
        if field.spec.only_with:
            other, value = field.spec.only_with
            assert value in dict(FIELDS[other].spec.choices)
