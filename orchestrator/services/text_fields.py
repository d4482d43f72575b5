"""Validation of names and descriptions, the same for datasets and base models."""

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import VideoModel

MAX_NAME, MAX_DESCRIPTION = 80, 2000


def text_problems(noun: str, name: str, description: str) -> list[tuple[str, str]]:
    """(field, sentence) of what is wrong with the texts of a new record.

    Args:
        noun: what the record is called in a sentence: "dataset".
    """
    problems = []
    if not name.strip():
        problems.append(("name", f"Give the {noun} a name, so that you find it again."))
    elif len(name.strip()) > MAX_NAME:
        problems.append(("name", f"A name may have at most {MAX_NAME} characters."))
    if len(description) > MAX_DESCRIPTION:
        problems.append(("description", f"A description may have at most {MAX_DESCRIPTION:,} characters."))
    return problems


def edited_texts(noun: str, record: Dataset | VideoModel, name: str | None, description: str | None) -> tuple[str, str]:
    """The name and description of a record after an edit, in which None keeps the current text.

    Raises:
        Invalid: `problems` by field.
    """
    new_name = record.name if name is None else name
    new_description = record.description if description is None else description
    if problems := text_problems(noun, new_name, new_description):
        raise Invalid(problems[0][1], problems[0][0], problems)
    return new_name.strip(), new_description.strip()
