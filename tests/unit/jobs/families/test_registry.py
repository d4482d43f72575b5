"""Both floors know the same families, and each meets the protocol."""

import inspect
from importlib import import_module

import pytest

from jobs.families.protocol import Family
from jobs.families.registry import MODULES
from orchestrator.domain import families

_WORDS = [name for name in vars(Family) if not name.startswith("_")]


def test_what_can_be_registered_can_be_trained() -> None:
    assert set(families.FAMILIES) == set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_family_meets_the_protocol(name: str) -> None:
    family = import_module(MODULES[name]).FAMILY
    assert family.name == name
    assert family.title == families.FAMILIES[name].name_in_sentences
    for word in _WORDS:
        wanted, found = getattr(Family, word), getattr(family, word)
        assert list(inspect.signature(wanted).parameters)[1:] == list(inspect.signature(found).parameters), word
    for word in Family.__annotations__:
        assert getattr(family, word) is not None
