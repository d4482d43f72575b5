"""No file decides by the name of a task: it asks the task's row for what it needs to know.

A comparison with "classification" takes every other task for captioning, so that a new task silently becomes one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS, Annotation
from tests.source_tree import trees

KEYS = {*TASKS, *TASK_OF_MODEL}
ENUMS = {"Task", "ModelType"}
ABOUT_ONE_TASK = ("orchestrator/domain/", "jobs/families/")
"""The rows themselves, and the code that trains one task."""


def _sources() -> dict[str, ast.Module]:
    return {path: tree for path, tree in trees().items() if not path.startswith(ABOUT_ONE_TASK)}


def names_of_tasks(tree: ast.AST) -> Iterator[str]:
    """Where a piece of code depends on which tasks there are: a line and what stands there."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if text in KEYS or text == "video_":
                yield f"{node.lineno}: {text!r}"
            case ast.Attribute(value=ast.Name(id=enum), attr=member) if enum in ENUMS and member.isupper():
                yield f"{node.lineno}: {enum}.{member}"
            case ast.IfExp() if _picks_a_column(node.body) and _picks_a_column(node.orelse):
                yield f"{node.lineno}: label or else caption"


def _picks_a_column(node: ast.expr) -> bool:
    """`clip.label`, or "label"."""
    name = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else ""
    return name in list(Annotation)


def test_no_file_decides_by_a_task() -> None:
    found: dict[str, list[str]] = {}
    for path, tree in _sources().items():
        if lines := list(names_of_tasks(tree)):
            found[path] = lines
    assert found == {}


def test_a_match_over_kinds_names_every_kind() -> None:
    """`case _` is `assert_never`: the type checker then names each place that a new kind has to be taught to."""
    loose, strict = [], 0
    domain = {path: tree for path, tree in trees().items() if Path(path).parent == Path("orchestrator/domain")}
    for path, tree in (_sources() | domain).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Match) and _kinds_of(node):
                exhaustive = "assert_never" in ast.unparse(node.cases[-1])
                strict += exhaustive
                loose += [] if exhaustive else [f"{path}:{node.lineno}"]
    assert loose == []
    assert strict > 10


def _kinds_of(node: ast.Match) -> set[str]:
    """The enums of domain whose members the cases name."""
    kinds = {"Annotation", "AnswerKind", "ValueKind", "Format"}
    named = {
        part.value.id for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
    }
    return kinds & named if any(isinstance(part, ast.MatchValue) for part in ast.walk(node)) else set()


@pytest.mark.parametrize(
    "code",
    [
        'if task == "captioning": pass',
        "if dataset.task is Task.CLASSIFICATION: pass",
        'fits = model_type in ("video_retrieval",)',
        "words = {Task.RETRIEVAL: 1}",
        'kind = f"video_{task}"',
        'kind = facts.model_type.removeprefix("video_")',
        'word = "label" if by_class else "caption"',
        "text = clip.label if by_class else clip.caption",
    ],
)
def test_each_way_to_decide_by_a_task_is_found(code: str) -> None:
    assert list(names_of_tasks(ast.parse(code)))
