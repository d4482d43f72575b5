"""The product's Python files and their syntax trees, read once for all tests that look at the code."""

import ast
import io
import tokenize
from functools import cache

from orchestrator.settings import ROOT

PRODUCT = ("orchestrator", "jobs")
DEVELOPERS = ("alembic", "benchmarks", "scripts")


@cache
def sources(*folders: str) -> dict[str, str]:
    """The text of every file by its path in the checkout; of the product where no folders are given."""
    paths = [path for folder in folders or PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


@cache
def trees(*folders: str) -> dict[str, ast.Module]:
    """The syntax tree of each of `sources`."""
    return {path: _tree(path) for path in sources(*folders)}


@cache
def _tree(path: str) -> ast.Module:
    """Of one file, whichever folders are asked for."""
    return ast.parse((ROOT / path).read_text())


@cache
def prose() -> dict[str, tuple[str, ...]]:
    """Docstrings and comments of each file of the product."""
    return {path: prose_of(source) for path, source in sources().items()}


def prose_of(source: str) -> tuple[str, ...]:
    docstrings = [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline) if "#" in source else ()
    return (*docstrings, *(token.string for token in tokens if token.type == tokenize.COMMENT))
