"""The tables of an adapter's card hold whatever a class, a clip or a dataset is called."""

import re

from jobs.trainer.card import _cell, _matrix, _samples, _table
from orchestrator.domain.run_summary import Prediction, RunSummary

ODD = ["| pipe |", "back\\slash", "two\nlines", "plain"]


def columns(table: str) -> set[int]:
    """How many cells each line has, as Markdown counts them."""
    return {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1 for line in table.strip().splitlines()}


def test_a_bar_in_a_name_does_not_add_a_column() -> None:
    matrix = [[1, 0, 0, 0] for _ in ODD]
    (table,) = _matrix(RunSummary(class_names=ODD, confusion_matrix=matrix))
    assert columns(table) == {5}
    (samples,) = _samples(RunSummary(samples=[Prediction(name=name, reference=name, predicted=name) for name in ODD]))
    assert len(columns(samples)) == 1
    assert columns(_table([("Dataset", name) for name in ODD])) == {2}
    assert _cell("a|b\\c") == "a\\|b\\\\c"


def test_a_matrix_that_is_left_out_is_named() -> None:
    names = [f"class {number}" for number in range(21)]
    for matrix in ([], [[0] * 21] * 21):
        (sentence,) = _matrix(RunSummary(class_names=names, confusion_matrix=matrix))
        assert sentence == "The confusion matrix of 21 classes is too large for this card.\n"
    assert _matrix(RunSummary(class_names=["a", "b"])) == []
