"""A button or heading that the documentation names in bold is one that the pages show."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("quick-start.md", "concepts.md", "operations.md", "playground.md", "adapters.md", "guides/*.md")
_NAMED = re.compile(r"(?<=[\w,;:(|] )\*\*([A-Z][^*\n]{2,40})\*\*")
"""Bold with a capital inside a sentence; at the start of a line or of a list item bold is emphasis."""


def named_labels() -> Iterator[tuple[str, str]]:
    """(page, label) of each label that the pages for users name in bold."""
    for pattern in PAGES:
        for path in sorted((ROOT / "docs").glob(pattern)):
            for match in _NAMED.finditer(path.read_text()):
                yield str(path.relative_to(ROOT)), match[1].strip().rstrip(".:")


def shown_texts() -> str:
    """The sources of the pages and of their components, in which each label is a string."""
    files = [path for path in (ROOT / "orchestrator").rglob("*") if path.suffix in (".py", ".ts", ".tsx")]
    return "\n".join(path.read_text() for path in files if "builtin" not in path.parts)


def test_each_named_label_is_on_a_page() -> None:
    labels = list(named_labels())
    assert len(labels) >= 10, "labels are missing: does the pattern still match the guides?"
    shown = shown_texts()
    absent = [f"{page}: {label}" for page, label in labels if not re.search(rf"[\"'>\s]{re.escape(label)}\b", shown)]
    assert absent == []
