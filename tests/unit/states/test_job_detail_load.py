"""Checks that the job page shows the program of the adapter's own card."""

from orchestrator.states.job_detail_load import program_of


def test_the_first_python_block_of_the_card() -> None:
    card = "# run\n\n```\nnot this\n```\n\n```python\nimport sys\nprint(sys.argv)\n```\nmore\n```python\nno\n```\n"
    assert program_of(card) == "import sys\nprint(sys.argv)"


def test_a_card_without_a_program() -> None:
    assert program_of("# run\n") == ""
