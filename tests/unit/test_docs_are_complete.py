"""What people meet in the product has its line in the documentation: commands, metrics, layouts, families."""

import re

import pytest

from orchestrator.domain.families import FAMILIES
from orchestrator.domain.tasks import METRICS
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.settings import ROOT

DOCS = ROOT / "docs"
PATH = re.compile(r"`((?:orchestrator|jobs|tests|docs|benchmarks|alembic|assets|scripts)/[\w./-]*)`")
EXAMPLES = ("mine", "test_mine")
"""Names of files that a reader is to make."""
LABELS = sorted({metric.label for metric in METRICS.values()})


@pytest.mark.parametrize("label", LABELS)
def test_a_metric_is_in_the_glossary(label: str) -> None:
    assert re.search(rf"^{re.escape(label)}\n:   \S", (DOCS / "glossary.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("title", [title for title, _ in LAYOUTS.values()])
def test_a_layout_is_listed(title: str) -> None:
    assert f"| {title} |" in (DOCS / "reference" / "layouts.md").read_text()


def test_layouts_are_listed_in_the_order_in_which_they_are_tried() -> None:
    page = (DOCS / "reference" / "layouts.md").read_text()
    places = [page.index(f"| {title} |") for title, _ in LAYOUTS.values()]
    assert places == sorted(places)


def test_every_command_is_listed() -> None:
    source = (ROOT / "loreel").read_text()
    table = source[source.index("modules = {") : source.index("if command not in modules")]
    commands = re.findall(r'^\s+"(\w+)": "', table, re.MULTILINE)
    assert len(commands) > 8
    page = (DOCS / "reference" / "commands.md").read_text()
    assert [name for name in commands if not re.search(rf"^\| `{name}\b", page, re.MULTILINE)] == []


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_is_listed(family: str) -> None:
    title = FAMILIES[family].title
    names = (title, {"Encoder-decoder": "vision-encoder-decoder", "Dual encoder": "dual encoder"}.get(title, title))
    page = (DOCS / "families.md").read_text()
    assert any(name in page for name in names)


def test_every_file_that_a_page_names_exists() -> None:
    named = {
        (path.name, name.rstrip("/"))
        for path in (*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
        for name in PATH.findall(path.read_text())
    }
    missing = {found for found in named if not (ROOT / found[1]).exists()}
    assert {found for found in missing if found[1].rpartition("/")[2].partition(".")[0] not in EXAMPLES} == set()
