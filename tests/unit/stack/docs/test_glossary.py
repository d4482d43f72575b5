"""The glossary says what the product says: its sentences come from the code, and each term can be linked to."""

import re

import pytest

from orchestrator.domain.recipes import FIELDS
from orchestrator.domain.tasks import METRICS
from orchestrator.domain.terms import RANK, TERMS, anchor_of
from orchestrator.settings import ROOT
from orchestrator.stack.docs.glossary import PAGE, explained_terms, with_anchors, with_meanings

SOURCE = (ROOT / "docs" / PAGE).read_text()


def test_each_explained_term_stands_in_the_glossary_with_its_sentence() -> None:
    page = with_meanings(SOURCE)
    assert "{{" not in page
    for term in explained_terms().values():
        assert f"\n{term.name}\n:   {term.meaning}\n" in page


def test_a_sentence_without_code_is_an_error() -> None:
    with pytest.raises(KeyError, match="Sorcery"):
        with_meanings("Sorcery\n:   {{ meaning }}\n")


def test_the_anchors_are_those_that_pages_link_to() -> None:
    names = re.findall(r"^(\S.*)\n:   ", SOURCE, re.MULTILINE)
    html = with_anchors("".join(f"<dt>{name}</dt>" for name in names))
    anchors = re.findall(r'id="([^"]+)"', html)
    assert len(set(anchors)) == len(names)
    assert {term.anchor for term in explained_terms().values()} <= set(anchors)
    assert RANK.href.endswith("#rank-r")
    assert anchor_of("R@1 of captions") == "r-1-of-captions"


def test_every_metric_and_every_term_of_a_field_is_one_sentence() -> None:
    assert all(metric.meaning.endswith(".") for metric in METRICS.values())
    asked = {field.spec.term for field in FIELDS.values() if field.spec.term}
    assert asked <= set(TERMS)
    assert {"Rank (r)", "Alpha", "Dropout", "Gradient accumulation", "NF4", "Warm-up"} <= {term.name for term in asked}
