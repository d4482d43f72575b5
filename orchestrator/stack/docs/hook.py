"""MkDocs' hook: adds the pages that are made from code, the app's colours and its fonts."""

import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from orchestrator.settings import ROOT
from orchestrator.stack.docs import glossary, reference, rest
from orchestrator.stack.docs.serving import PREFIX
from orchestrator.stack.frontend import WEB_DIR

_TOKENS = ROOT / "assets" / "styles" / "loreel.css"
_FONTS = {
    "Inter Variable": "inter/files/inter-latin-opsz-normal.woff2",
    "JetBrains Mono Variable": "jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
}
_FONTS_DIR = WEB_DIR / "node_modules" / "@fontsource-variable"
"""The app's own fonts, once its pages were built; without them the pages use those of the system."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages and files that are not in docs/."""
    for path, make in PAGES.items():
        files.append(File.generated(config, path, content=make()))
    files.append(File.generated(config, "stylesheets/tokens.css", content=tokens_css() + _font_faces()))
    files.append(File.generated(config, "assets/favicon.svg", abs_src_path=str(ROOT / "assets" / "favicon.svg")))
    for font in _fonts().values():
        files.append(File.generated(config, f"fonts/{font.name}", abs_src_path=str(font)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The glossary takes the sentences that pages show, too, from the code."""
    return glossary.with_meanings(markdown) if page.file.src_uri == glossary.PAGE else markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Each term of the glossary can be linked to."""
    return glossary.with_anchors(html) if page.file.src_uri == glossary.PAGE else html


def on_template_context(context: dict[str, Any], template_name: str, config: MkDocsConfig) -> dict[str, Any]:
    """The page for a wrong address is shown at any depth, so its links start at the studio's /docs."""
    if template_name == "404.html" and not config.site_url:
        context["base_url"] = f"{PREFIX}/"
    return context


def tokens_css() -> str:
    """The app's colours under the selectors of Material's two schemes."""
    text = _TOKENS.read_text()
    dark = re.search(r":root,\s*\.dark \{(.*?)\}", text, re.DOTALL)
    light = re.search(r"\n\.light \{(.*?)\}", text, re.DOTALL)
    if dark is None or light is None:
        raise ValueError(f"{_TOKENS} has no block of dark or of light colours any more.")
    return f':root, [data-md-color-scheme="slate"] {{{dark[1]}}}\n[data-md-color-scheme="default"] {{{light[1]}}}\n'


def _fonts() -> dict[str, Any]:
    fonts = {name: _FONTS_DIR / path for name, path in _FONTS.items()}
    return fonts if all(font.exists() for font in fonts.values()) else {}


def _font_faces() -> str:
    return "".join(
        f'@font-face {{ font-family: "{name}"; font-display: swap; font-weight: 100 900; '
        f'src: url("../fonts/{font.name}") format("woff2-variations"); }}\n'
        for name, font in _fonts().items()
    )


def benchmarks_page() -> str:
    """The history of the benchmarks as charts, or where to find its figures."""
    if find_spec("benchmarks.charts") is not None:
        return import_module("benchmarks.charts").page()
    return (
        "# Benchmarks\n\n`./loreel bench` lists the benchmarks and `./loreel bench NAME` runs one; the last line that "
        "it prints is JSON. `benchmarks/README.md` holds the figures that were measured.\n"
    )


def _root_page(name: str) -> Callable[[], str]:
    """A Markdown file of the repository's root; its links to docs/ become links between pages."""
    return lambda: (ROOT / name).read_text().replace("](docs/", "](")


def licence_page() -> str:
    """The licence as it stands in the repository."""
    text = (ROOT / "LICENSE").read_text()
    return f"# Licence\n\nLoreel is free software under the Apache License 2.0.\n\n```text\n{text}\n```\n"


PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": reference.settings_page,
    "reference/recipe.md": reference.recipe_page,
    "reference/routes.md": rest.rest_page,
    "benchmarks.md": benchmarks_page,
    "contributing.md": _root_page("CONTRIBUTING.md"),
    "changelog.md": _root_page("CHANGELOG.md"),
    "licence.md": licence_page,
}
