"""Every setting and every field of a recipe is described, documented, and read somewhere."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from orchestrator.settings import ROOT, Settings
from orchestrator.stack.docs.fields import recipe_rows, settings_rows, variable_of
from orchestrator.stack.docs.reference import VARIABLES, recipe_page, settings_page

SETTINGS = ROOT / "orchestrator" / "settings.py"
NAMES = sorted(Settings.model_fields)
VARIABLE = re.compile(r"\bLOREEL_[A-Z][A-Z0-9_]*")


def _sources() -> Iterator[Path]:
    for top in ("orchestrator", "jobs", "alembic"):
        yield from (path for path in (ROOT / top).rglob("*.py") if path != SETTINGS)
    yield ROOT / "rxconfig.py"


def _is_settings(node: ast.expr) -> bool:
    """`settings`, `_settings`, `this.settings`, `get_settings()`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("get_settings", "read_settings")
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name.strip("_") == "settings"


@cache
def _read() -> frozenset[str]:
    """What is read of the settings outside their module, and what its properties read for that."""
    found: set[str] = set()
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and _is_settings(node.value):
                found.add(node.attr)
    own = {
        method.name: {
            node.attr
            for node in ast.walk(method)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        }
        for method in ast.walk(ast.parse(SETTINGS.read_text()))
        if isinstance(method, ast.FunctionDef)
    }
    while more := {name for method in found & own.keys() for name in own[method]} - found:
        found |= more
    return frozenset(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_described(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert len(description) > 20
    assert description.rstrip().endswith((".", "`."))


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_read(name: str) -> None:
    assert name in _read()


def test_the_page_has_every_setting() -> None:
    page = settings_page()
    assert [row.name for row in settings_rows()] == [variable_of(name) for name in Settings.model_fields]
    for row in settings_rows():
        assert f"### `{row.name}`" in page
        assert row.description in page


def test_no_variable_is_read_or_named_without_being_documented() -> None:
    documented = {variable_of(name) for name in NAMES} | {variable.name for variable in VARIABLES}
    prose = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        (name, path.relative_to(ROOT).as_posix())
        for path in (*_sources(), ROOT / "loreel", *prose)
        for name in VARIABLE.findall(path.read_text())
    }
    examples = {"LOREEL_URL", "LOREEL_TOKEN"}  # of the scripts in docs/examples
    compose = {"LOREEL_DB_PASSWORD", "LOREEL_REDIS_PASSWORD"}
    known = documented | examples | compose
    # A name that others begin with is a prefix that is compared with, such as LOREEL_TEST.
    unknown = {(name, path) for name, path in named if not any(full.startswith(name) for full in known)}
    assert unknown == set()


def test_the_readme_stays_short() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "./loreel docs" in readme
    assert len(set(VARIABLE.findall(readme)) & {row.name for row in settings_rows()}) == 5
    assert len(readme.splitlines()) < 60


@pytest.mark.parametrize("row", recipe_rows(), ids=lambda row: row.name)
def test_a_recipe_field_is_documented(row) -> None:
    assert len(row.description) > 10
    assert f"`{row.name}`" in recipe_page()


def test_no_other_module_reads_a_setting_from_the_environment() -> None:
    variables = {variable_of(name) for name in NAMES}
    reads = [
        (str(path.relative_to(ROOT)), node.lineno)
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call | ast.Subscript)
        and ast.unparse(node).startswith(("os.environ", "environ", "os.getenv", "getenv"))
        and any(isinstance(part, ast.Constant) and part.value in variables for part in ast.iter_child_nodes(node))
    ]
    assert not reads
