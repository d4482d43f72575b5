"""Names of definitions are the field's terms: none contains a word that only this project would use in that sense."""

import ast
import re
from collections.abc import Iterator

from orchestrator.settings import ROOT
from tests.source_tree import trees

FOLDERS = ("orchestrator", "jobs", "benchmarks", "scripts", "tests")

PRIVATE_WORDS = frozenset((ROOT / "tests" / "architecture" / "private_words.txt").read_text().split())
"""Words with a private meaning in earlier versions of this code; a plainer term exists for each."""

_SCHEMA = "a schema of the published OpenAPI document, whose names clients generate code from"
PLAIN_SENSE: dict[str, str] = dict.fromkeys(("IngestWish", "Wish", "ReadingWish", "SplitWish", "WishBody"), _SCHEMA) | {
    "fork_work_horse": "a method of RQ's Worker that is overridden",
    "main_work_horse": "a method of RQ's Worker that is overridden",
    "_box": "a rectangle that is drawn",
    "swift": "the format of ms-swift, a training framework",
}
"""Names in which such a word has its plain technical sense, each with the reason."""


def parts_of(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def definitions() -> Iterator[tuple[str, str]]:
    """Place (`file:line`) and name of every function, method and class."""
    for folder in FOLDERS:
        for path, tree in trees(folder).items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield f"{path}:{node.lineno}", node.name


def private_words_in(name: str) -> frozenset[str]:
    return frozenset() if name in PLAIN_SENSE else PRIVATE_WORDS.intersection(parts_of(name))


def test_names_are_split_into_words() -> None:
    assert parts_of("_HTTPDoors2open_atEye") == ["http", "doors", "open", "at", "eye"]


def test_a_private_word_is_found() -> None:
    assert private_words_in("LetterBox") == {"letter", "box"}
    assert private_words_in("latest_complete_checkpoint") == frozenset()


def test_no_definition_has_a_private_word_in_its_name() -> None:
    found = [
        f"{place} {name}: {', '.join(sorted(words))}"
        for place, name in definitions()
        if (words := private_words_in(name))
    ]
    assert not found, "\n".join(found)


def test_every_exception_is_still_needed() -> None:
    names = {name for _, name in definitions()}
    assert set(PLAIN_SENSE) <= names, sorted(set(PLAIN_SENSE) - names)
