"""The documentation builds without a broken link, asks no other host for anything, and is served at /docs."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from orchestrator.edge.inline_scripts import script_sources
from orchestrator.settings import ROOT
from orchestrator.stack.docs import serving, site
from orchestrator.stack.docs.hook import PAGES
from orchestrator.stack.docs.site import run_mkdocs
from orchestrator.stack.errors import StackError

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
LOADED_RELATIONS = {"stylesheet", "icon", "preload", "preconnect", "modulepreload", "dns-prefetch", "manifest"}


class _Loads(HTMLParser):
    """Every address that a page makes a browser load by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        relations = set((found.get("rel") or "").split())
        if tag in LOADING and (tag != "link" or relations & LOADED_RELATIONS):
            self.addresses.append(found.get(LOADING[tag]) or "")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    run_mkdocs("build", "--strict", "--site-dir", str(folder))
    return folder


def test_every_page_is_built(built: Path) -> None:
    pages = {path.relative_to(built).parent.as_posix() for path in built.rglob("index.html")}
    sources = (path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md"))
    expected = {path.as_posix() if path.name != "index" else path.parent.as_posix() for path in sources}
    assert (expected | {path.removesuffix(".md") for path in PAGES}) - pages == set()


def test_no_page_loads_anything_from_another_host(built: Path) -> None:
    foreign: list[str] = []
    for path in built.rglob("*.html"):
        loads = _Loads()
        loads.feed(path.read_text())
        foreign += [f"{path.name}: {url}" for url in loads.addresses if re.match(r"(?:[a-z]+:)?//", url)]
    for path in built.rglob("*.css"):
        found = re.findall(r"""(?:@import\s+["']?|url\(\s*["']?)((?:https?:)?//[^"')\s]+)""", path.read_text())
        foreign += [f"{path.name}: {url}" for url in found]
    assert foreign == []


def test_a_picture_of_every_theme_exists(built: Path) -> None:
    missing: list[str] = []
    for path in built.rglob("*.html"):
        loads = _Loads()
        loads.feed(path.read_text())
        local = [url.partition("#")[0] for url in loads.addresses if url and not url.startswith(("data:", "/"))]
        missing += [f"{path.parent.name}: {url}" for url in local if not (path.parent / url).exists()]
    assert missing == []


def test_the_colours_are_those_of_the_app(built: Path) -> None:
    tokens = (built / "stylesheets" / "tokens.css").read_text()
    assert tokens.count("--primary:") == 2
    assert '[data-md-color-scheme="slate"]' in tokens


def test_a_broken_link_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[gone](nowhere.md)\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: Test\n")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    with pytest.raises(StackError, match=r"nowhere\.md"):
        run_mkdocs("build", "--strict", "--site-dir", str(tmp_path / "site"))


def test_it_is_served_to_everyone_and_may_load_from_here_only(built: Path) -> None:
    client = TestClient(serving.docs_app(built))
    home = client.get("/docs")
    assert (home.status_code, home.url.path) == (200, "/docs/")
    assert "<h1" in home.text
    policy = home.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert "unsafe" not in scripts[1]
    assert script_sources(home.text) <= set(scripts[1].split())
    assert client.get("/docs/quick-start/").status_code == 200
    assert client.get("/docs/stylesheets/loreel.css").headers["content-type"].startswith("text/css")
    assert client.post("/docs/").status_code == 405
    assert client.get("/docs/../mkdocs.yml").status_code == 404
    assert client.get("/docs/%2e%2e/%2e%2e/etc/passwd").status_code == 404


def test_a_wrong_address_leads_back(built: Path) -> None:
    answer = TestClient(serving.docs_app(built)).get("/docs/some/where/deep/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'href="/docs/stylesheets/loreel.css"' in answer.text


def test_what_is_not_built_says_so(tmp_path: Path) -> None:
    answer = TestClient(serving.docs_app(tmp_path)).get("/docs/")
    assert answer.status_code == 503
    assert "./loreel docs --build" in answer.text


def test_the_build_follows_its_sources(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "index.md"
    page.parent.mkdir()
    page.write_text("# a")
    (tmp_path / "orchestrator").mkdir()
    settings = tmp_path / "orchestrator" / "settings.py"
    settings.write_text("a = 1")
    seen = [site.sources_hash(tmp_path)]
    for path in (page, settings):
        path.write_text("changed")
        seen.append(site.sources_hash(tmp_path))
    (tmp_path / "README.md").write_text("not part of the site")
    assert site.sources_hash(tmp_path) == seen[-1]
    assert len(set(seen)) == 3
