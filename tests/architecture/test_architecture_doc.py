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
    ("term", "module"),
    {
        "resume": "jobs/trainer/resume.py",
        "vision tower": "jobs/families/video_llm/vision_tower.py",
        "leader election": "jobs/controller/leader.py",
        "near-duplicate clips": "orchestrator/services/datasets/curation/near_duplicates.py",
        "prompt tokens": "jobs/families/video_llm/chat.py",
        "gradient accumulation": "jobs/trainer/loss_weighting.py",
    }.items(),
)
def test_one_search_finds_the_code_of(term: str, module: str) -> None:
    """A reader who knows the field but not the project finds the module by the field's own term in its docstring."""
    assert term in (ast.get_docstring(ast.parse((ROOT / module).read_text())) or "").lower()


def test_what_the_list_of_a_resume_names_exists() -> None:
    """Files, and the functions and classes that it names together with a file."""
    listing = ast.get_docstring(ast.parse((ROOT / "jobs/trainer/resume.py").read_text())) or ""
    paths = re.findall(r"`((?:orchestrator|jobs|tests)/[\w./-]*)`", listing)
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / path).exists()]
    named = re.findall(r"`(\w+)`\s+in\s+`([\w./-]+\.py)`", listing)
    assert len(named) > 5
    assert not [
        (name, path) for name, path in named if not re.search(rf"(def|class) {name}\b", (ROOT / path).read_text())
    ]


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_number_in_the_title_and_a_text(path: Path) -> None:
    title, _, text = path.read_text().partition("\n")
    assert title.startswith(f"# {int(path.name[:4])}. ")
    assert len(text.split()) > 30
