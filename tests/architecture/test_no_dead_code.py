"""All that is defined is used by the product: no function, constant, column or field is read by tests alone."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from orchestrator.settings import ROOT
from tests.openapi import document
from tests.source_tree import DEVELOPERS, trees

CALLED_BY_LIBRARIES = frozenset((ROOT / "tests" / "architecture" / "called_by_libraries.txt").read_text().split())
"""Methods and attributes that a library's class or hook asks for."""

KEPT = {
    "ADAMW": "the default optimizer: chosen by its value, never by its name",
    "FAMILY": "the registry names its module, and asks each module for it",
    "at_ms": "stored with each measurement for queries by hand; to drop a column of the largest table takes hours",
    "forget_clients": "tests start without the counts of the tests before",
    "forget_notes": "tests start without what the tests before noted",
}
"""Other names that nothing in the product reads, each with the reason why it stays."""


@cache
def modules() -> dict[str, ast.Module]:
    """The product, and what developers start: benchmarks and scripts may use what the product alone does not."""
    settings = {"rxconfig.py": ast.parse((ROOT / "rxconfig.py").read_text())}
    return trees() | trees(*DEVELOPERS) | settings


def names_read_in(tree: ast.AST, keywords: bool) -> Iterator[str]:
    """Names and attributes that are read, and words of strings, by which Reflex and its pages find functions.

    Args:
        keywords: names of keyword arguments count too: they are how a component's properties are set.
    """
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.Constant(value=str(text)) if node not in docstrings:
                yield from re.findall(r"\w+", text)
            case ast.keyword(arg=str(name)) if keywords:
                yield name
            case ast.alias(name=name, asname=str()):
                yield name


def definitions_in(node: ast.AST, prefix: str = "") -> Iterator[tuple[int, str, str]]:
    """Line, name, and name with class of what a module or a class defines; a decorator uses its function."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not child.decorator_list:
                yield child.lineno, child.name, prefix + child.name
            case ast.ClassDef():
                yield child.lineno, child.name, prefix + child.name
                yield from definitions_in(child, f"{prefix}{child.name}.")
            case ast.Assign() | ast.AnnAssign():
                for target in child.targets if isinstance(child, ast.Assign) else [child.target]:
                    if isinstance(target, ast.Name):
                        yield child.lineno, target.id, prefix + target.id


@cache
def names_read() -> frozenset[str]:
    found = set(re.findall(r'"(\w+)":', json.dumps(document())))  # fields of REST answers
    for path, tree in modules().items():
        found |= set(names_read_in(tree, keywords=not {"ui", "pages"}.isdisjoint(path.split("/"))))
    for path in (*(ROOT / "orchestrator").rglob("*.ts*"), ROOT / "loreel", ROOT / "pyproject.toml"):
        found |= set(re.findall(r"\w+", path.read_text()))
    return frozenset(found)


@cache
def names_read_from() -> dict[str, set[str]]:
    """What other modules import from each module, or read as an attribute of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for tree in modules().values():
        known: dict[str, str] = {}
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(module)):
                    for alias in node.names:
                        found[module].add(alias.name)
                        known[alias.asname or alias.name] = f"{module}.{alias.name}"
                case ast.Import():
                    known |= {alias.asname or alias.name: alias.name for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (owner := ast.unparse(node.value)):
                found[known.get(owner, owner)].add(node.attr)
    return found


def unread(name: str, tree: ast.Module) -> list[str]:
    """Definitions of a module that nothing reads, as `line Class.name`.

    What a module defines is read in the module itself, or by its name together with the module's; what a class
    defines, as an attribute of any object.
    """
    module = name.removesuffix(".py").replace("/", ".")
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    read_of_module = own | names_read_from()[module] | names_in_strings()
    excepted = CALLED_BY_LIBRARIES | KEPT.keys()
    return [
        f"{line} {full}"
        for line, name, full in definitions_in(tree)
        if name not in (names_read() if "." in full else read_of_module)
        and name not in excepted
        and not name.startswith("__")
    ]


@cache
def names_in_strings() -> frozenset[str]:
    """Words of strings without a space, such as "jobs.tasks.train": a queue and Reflex find functions by these."""
    texts = (
        node.value
        for tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value
    )
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


def test_what_nothing_reads_is_found() -> None:
    lines = ("LIMIT_WITHOUT_READER = 1", "class list:", "  column_only_written: int", "  def never_called(self): ...")
    assert unread("m.py", ast.parse("\n".join(lines))) == [
        "1 LIMIT_WITHOUT_READER",
        "3 list.column_only_written",
        "4 list.never_called",
    ]


def test_all_that_is_defined_is_read() -> None:
    dead = [f"{name}:{line}" for name, tree in trees().items() for line in unread(name, tree)]
    assert not dead, "\n".join(dead)


def test_no_package_is_empty() -> None:
    packages = [path.parent for folder in ("orchestrator", "jobs") for path in (ROOT / folder).rglob("__init__.py")]
    assert len(packages) > 40
    empty = [
        str(package.relative_to(ROOT))
        for package in packages
        if not any(path.name != "__init__.py" for path in package.rglob("*.py"))
    ]
    assert empty == []


def test_every_exception_is_still_defined() -> None:
    defined = {name for _, tree in trees().items() for _, name, _ in definitions_in(tree)}
    assert defined >= CALLED_BY_LIBRARIES | KEPT.keys()
