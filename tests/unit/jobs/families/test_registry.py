"""The web and the trainer know the same families, and each meets the protocol."""

import inspect
from importlib import import_module

import pytest

from jobs.families.protocol import Family
from jobs.families.registry import MODULES
from jobs.families.video_llm.standard import standard_family
from orchestrator.domain import families

_NAMES = [name for name in vars(Family) if not name.startswith("_")]


def test_every_base_that_can_be_added_can_be_trained() -> None:
    assert set(families.FAMILIES) == set(MODULES) | families.STANDARD_FAMILIES
    assert not set(MODULES) & families.STANDARD_FAMILIES


@pytest.mark.parametrize("name", [*sorted(MODULES), *sorted(families.STANDARD_FAMILIES)])
def test_family_meets_the_protocol(name: str) -> None:
    family = import_module(MODULES[name]).FAMILY if name in MODULES else standard_family(name)
    assert family.name == name
    assert family.title == families.FAMILIES[name].name_in_sentences
    for method in _NAMES:
        expected, actual = (inspect.signature(getattr(owner, method)).parameters for owner in (Family, family))
        assert list(expected)[1:] == list(actual), method
    for attribute in Family.__annotations__:
        assert getattr(family, attribute) is not None
