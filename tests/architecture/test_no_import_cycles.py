"""No module imports itself through others, and no function imports late to get around such a cycle."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.source_tree import trees


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(tree: ast.Module, known: frozenset[str]) -> set[str]:
    """The modules of the project that a module imports, at its top or in a function."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & known


def check_acyclic(graph: dict[str, set[str]]) -> None:
    """Raises `CycleError`, with the modules of the cycle, where there is one."""
    TopologicalSorter(graph).prepare()


def test_a_cycle_is_found() -> None:
    with pytest.raises(CycleError):
        check_acyclic({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_no_module_imports_itself_through_others() -> None:
    known = frozenset(map(module_of, trees()))
    graph = {module_of(path): imports_of(tree, known) - {module_of(path)} for path, tree in trees().items()}
    assert sum(map(len, graph.values())) > 2000
    check_acyclic(graph)
