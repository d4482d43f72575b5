"""No page and no part of the kit writes a colour down: colours live in assets/styles/loreel.css alone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEX = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
RADIX = re.compile(r"\brx\.(text|link|heading|box|flex|button|card|badge|input|select|dialog|tabs)\b")


def _sources() -> list[Path]:
    folders = [ROOT / "orchestrator" / "pages", ROOT / "orchestrator" / "ui"]
    return [path for top in folders for path in top.rglob("*") if path.suffix in {".py", ".tsx", ".ts", ".css"}]


def test_no_hex_colour_outside_the_stylesheet() -> None:
    found = [f"{path.relative_to(ROOT)}: {hit}" for path in _sources() for hit in HEX.findall(path.read_text())]
    assert not found, found


def test_no_radix_themes_component() -> None:
    pages = [path for path in _sources() if path.suffix == ".py"]
    found = [f"{path.relative_to(ROOT)}: {hit}" for path in pages for hit in RADIX.findall(path.read_text())]
    assert not found, found
