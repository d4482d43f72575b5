"""No page breaks its content security policy, in light and dark, while its scripts, charts and toasts work."""

import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.e2e.conftest import Person
from tests.e2e.test_jobs import launch, wait_for

LISTEN = """window.violations = [];
document.addEventListener("securitypolicyviolation",
  (e) => window.violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile || ""}`));"""
PUBLIC = ("/", "/login", "/signup", "/nowhere", "/docs/", "/docs/quick-start/", "/api/docs")
PRIVATE = (
    "/overview",
    "/datasets",
    "/datasets/new",
    "/models",
    "/models/new",
    "/jobs",
    "/jobs/new",
    "/adapters",
    "/playground",
    "/workers",
    "/settings",
)


@pytest.fixture
def problems(page: Page) -> Iterator[list[str]]:
    """What the browser says of refused scripts, styles and requests; empty at the end."""
    found: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Refused to" in message.text:
            found.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.add_init_script(LISTEN)
    yield found
    assert found == []


def visit(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.violations") == []


def check_in_dark(page: Page) -> None:
    """The page that is shown turns dark: its scripts see that without a reload."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("matchMedia('(prefers-color-scheme: dark)').matches")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert page.evaluate("window.violations") == []


def test_public_pages(page: Page, problems: list[str]) -> None:
    for path in PUBLIC:
        page.emulate_media(color_scheme="light")
        visit(page, path)
        check_in_dark(page)
    for path in PUBLIC[:2]:  # and loaded in dark
        visit(page, path)
    visit(page, "/api/docs")
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()


def test_pages_of_a_user(page: Page, problems: list[str], signed_in: Person) -> None:
    for path in PRIVATE:
        page.emulate_media(color_scheme="light")
        visit(page, path)
        check_in_dark(page)
    for path in ("/overview", "/settings"):  # and loaded in dark
        visit(page, path)
    page.get_by_label("Username").fill("a b")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("3 to 32 letters").last).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_charts_of_a_job(page: Page, problems: list[str], api: httpx.Client) -> None:
    job = launch(api, "charts")
    visit(page, f"/jobs/{job}")
    wait_for(api, job, "running", "completed")
    expect(page.locator("#loss-card [data-loss-chart]")).to_be_visible(timeout=120_000)
    for tab in page.get_by_role("tab").all():
        tab.click()
        time.sleep(0.5)
    visit(page, f"/jobs/compare?ids={job}")
    assert page.evaluate("window.violations") == []


def test_an_injected_script_does_not_run(page: Page, signed_in: Person) -> None:
    page.goto("/overview")
    page.evaluate(
        """() => { const it = document.createElement("div"); it.innerHTML = "<img src=x onerror='window.ran = 1'>";
        document.body.append(it); const s = document.createElement("script"); s.textContent = "window.ran = 1";
        document.body.append(s); }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None
