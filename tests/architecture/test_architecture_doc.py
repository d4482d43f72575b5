"""docs/architecture.md is true: every path it names exists, and every package of the two sides is on it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text()
SIDES = ("orchestrator", "jobs", "orchestrator/services/datasets")


def named_paths() -> set[str]:
    return {
        name.rstrip("/")
        for name in re.findall(r"`((?:orchestrator|jobs|tests|docs|benchmarks|alembic|assets)/[\w./-]*)`", DOCUMENT)
    }


def test_what_the_document_names_exists() -> None:
    missing = sorted(name for name in named_paths() if not (ROOT / name).exists())
    assert not missing, f"docs/architecture.md names what is not there: {missing}"


@pytest.mark.parametrize("side", SIDES)
def test_every_package_is_in_the_document(side: str) -> None:
    packages = [f"{side}/{path.parent.name}" for path in (ROOT / side).glob("*/__init__.py")]
    missing = sorted(package for package in packages if package not in named_paths())
    assert packages
    assert not missing, f"docs/architecture.md forgets: {missing}"


def test_few_files_lie_loose() -> None:
    most = {"orchestrator/states": 3, "jobs": 4, "orchestrator/pages": 3}
    loose = {
        folder: sorted(path.name for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py")
        for folder in most
    }
    assert all(len(loose[folder]) <= most[folder] for folder in most), loose


@pytest.mark.parametrize(
    "term",
    ["resume", "vision tower", "leader election", "near-duplicate clips", "prompt tokens", "gradient accumulation"],
)
def test_one_search_finds_the_code_of(term: str) -> None:
    """A reader who knows the field but not the project finds the module by the field's own term in its docstring."""
    sources = [path for side in ("orchestrator", "jobs") for path in (ROOT / side).rglob("*.py")]
    assert any(term in (ast.get_docstring(ast.parse(path.read_text())) or "").lower() for path in sources)
