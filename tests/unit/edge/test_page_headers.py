"""Pages carry a policy that admits exactly the scripts they were built with, and say https where they came by it."""

import base64
import hashlib
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from orchestrator.edge import page_headers
from orchestrator.edge.inline_scripts import script_sources, sources_of_folder
from orchestrator.edge.page_headers import HEADERS, PageHeaders
from orchestrator.settings import Settings

SCRIPT = "if (1 < 2) { say('é &amp;') }\n"
SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
PAGE = f"""<html><head><script>{SCRIPT}</script><script src="/a.js">ignored</script>
<script type="application/json">{{"a": 1}}</script><SCRIPT type="module">{SCRIPT}</SCRIPT></head></html>"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page_headers, "get_settings", Settings)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "jobs" / "index.html").write_text("<script>other()</script>")
    return tmp_path


def test_inline_scripts_are_named_by_their_hash() -> None:
    assert script_sources(PAGE) == {SOURCE}


def test_a_page_admits_its_own_scripts_and_no_others(pages: Path) -> None:
    answer = TestClient(PageHeaders(HTMLResponse(PAGE), pages)).get("/")
    scripts = answer.headers["content-security-policy"].partition("script-src ")[2].partition(";")[0].split()
    assert set(scripts) == {"'self'", "'unsafe-eval'", SOURCE, *script_sources("<script>other()</script>")}
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_new_build_is_read_again(pages: Path) -> None:
    before = sources_of_folder(pages)
    (pages / "jobs" / "index.html").write_text("<script>newer()</script>")
    index = pages / "index.html"
    index.touch()
    assert sources_of_folder(pages) != before
    assert sources_of_folder(pages / "absent") == ""


def test_headers_of_the_app_itself_stay(pages: Path) -> None:
    page = PlainTextResponse("page", headers={"Referrer-Policy": "no-referrer"})
    answer = TestClient(PageHeaders(page, pages)).get("/")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"] == page_headers.NO_PAGE
    for name in HEADERS.keys() - {"Referrer-Policy"}:
        assert answer.headers[name] == HEADERS[name]


def test_an_unchanged_page_keeps_the_policy_that_came_with_it(pages: Path) -> None:
    app = PageHeaders(StaticFiles(directory=pages, html=True), pages)
    first = TestClient(app).get("/")
    again = TestClient(app).get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert "content-security-policy" in first.headers
    assert "content-security-policy" not in again.headers


def test_https_stays_where_it_is_used(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = PageHeaders(PlainTextResponse("page"), pages)
    assert "strict-transport-security" not in TestClient(app, base_url="http://localhost").get("/").headers
    by_https = TestClient(app, base_url="https://localhost").get("/").headers
    assert by_https["strict-transport-security"] == "max-age=31536000"
    monkeypatch.setattr(page_headers, "get_settings", lambda: Settings(secure_cookies=True))
    assert "strict-transport-security" in TestClient(app, base_url="http://localhost").get("/").headers
