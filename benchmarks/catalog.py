"""The benchmarks in this folder: their names, their modules, what they measure and what they must reach."""

import ast
from functools import cache
from pathlib import Path

from benchmarks.target import Target

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Every benchmark, by file name with dashes. A module is a benchmark when it declares TARGETS."""
    stems = [path.stem for path in FOLDER.glob("*.py") if _declares_targets(path)]
    stems += [path.parent.name for path in FOLDER.glob("*/bench.py")]
    return sorted(stem.replace("_", "-") for stem in stems)


def module_name(name: str) -> str:
    """The dotted name of a benchmark's module."""
    stem = name.replace("-", "_")
    return f"benchmarks.{stem}.bench" if (FOLDER / stem).is_dir() else f"benchmarks.{stem}"


def summary(name: str) -> str:
    """The first line of a benchmark's docstring."""
    return (ast.get_docstring(_parse(_source(name))) or "").splitlines()[0]


def targets(name: str) -> dict[str, Target]:
    """The TARGETS of a benchmark, read from its source: importing it would import torch or start a browser's driver."""
    for node in _parse(_source(name)).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "TARGETS" and node.value:
            return ast.literal_eval(node.value)
    raise LookupError(f"{_source(name)} declares no TARGETS.")


def _source(name: str) -> Path:
    return FOLDER.parent.joinpath(*module_name(name).split(".")).with_suffix(".py")


def _declares_targets(path: Path) -> bool:
    return any(isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "TARGETS" for node in _parse(path).body)


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
