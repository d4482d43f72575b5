"""Hashes of the scripts inside built pages, by which a content security policy admits these and no others."""

import base64
import hashlib
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

_SCRIPT_TYPES = frozenset({"", "module", "text/javascript", "application/javascript"})
"""Scripts that run; blocks of data need no leave."""


class _InlineScripts(HTMLParser):
    """Collects the text of scripts that have no address."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and "src" not in given and (given.get("type") or "").lower() in _SCRIPT_TYPES:
            self._inside = True
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False


def script_sources(html: str) -> frozenset[str]:
    """The sources for `script-src` that admit the inline scripts of a page: `'sha256-...'`."""
    parser = _InlineScripts()
    parser.feed(html)
    parser.close()
    return frozenset(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in parser.found
    )


def sources_of_folder(folder: Path) -> str:
    """Those of all pages in a folder, separated by spaces; "" when nothing is built. Read again after each build."""
    try:
        built = (folder / "index.html").stat().st_mtime_ns
    except OSError:
        return ""
    return _read(folder, built)


@lru_cache(maxsize=8)
def _read(folder: Path, _built: int) -> str:
    found: set[str] = set()
    for page in folder.rglob("*.html"):
        found |= script_sources(page.read_text(errors="replace"))
    return " ".join(sorted(found))
