"""The running app and a real Chromium: one of each for the whole test session."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.studio import Studio, studio
from orchestrator.domain.training_jobs import ACTIVE, JobStatus
from orchestrator.services.auth import accounts, sessions
from orchestrator.services.db import engine, session_scope
from orchestrator.settings import get_settings
from tests.fakes.hub_server import HubServer, hub_server
from tests.studio import forget_caches

# The other tests run at the same time on the same two cores.
expect.set_options(timeout=15_000)
PASSWORD = "a quiet lamp at dusk 7"
TOO_WIDE = "(box) => [...box.querySelectorAll(':not(input)')].filter((it) => it.scrollWidth > box.clientWidth).length"
"""How many parts of an element hold more than its width shows."""


@dataclass(frozen=True)
class Person:
    """An account made for one test."""

    username: str
    email: str
    password: str = PASSWORD


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def hub() -> Iterator[HubServer]:
    """The Hub that the studio asks; a test says what its one repository is."""
    with hub_server("nobody/nothing", {}) as running:
        yield running


@pytest.fixture(scope="session")
def app_server(hub: HubServer) -> Iterator[Studio]:
    """Web, controller, worker and Redis as `./loreel up` starts them, on a data folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        # Sources on the network come from servers of this machine.
        with studio(allow_private_urls="true") as running:
            yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("LOREEL_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "Chromium is missing: `./loreel test` installs it, or `apt-get install chromium`."
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        # The landing's beams and a skeleton's shimmer cost a core without a GPU, sixty times a second.
        made.new_context = partial(made.new_context, reduced_motion="reduce")
        yield made
        made.close()


@pytest.fixture(scope="session")
def shared_context(browser: Browser, app_server: Studio) -> Iterator[BrowserContext]:
    """One for all tests: each new one would fetch and compile the same scripts again."""
    made = browser.new_context(base_url=app_server.url, viewport={"width": 1280, "height": 900})
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def context(shared_context: BrowserContext, app_server: Studio) -> Iterator[BrowserContext]:
    """The browser of one person, without cookies, stored values and open tabs at first."""
    yield shared_context
    end_trainings(shared_context, app_server)
    forget_person(shared_context, app_server)


def forget_person(context: BrowserContext, app_server: Studio) -> None:
    """Leaves nothing of a test but the browser's cache of files."""
    for page in context.pages:
        page.close()
    blank = context.new_page()
    everything = {"origin": app_server.url, "storageTypes": "all"}
    context.new_cdp_session(blank).send("Storage.clearDataForOrigin", everything)
    blank.close()
    context.clear_cookies()
    context.clear_permissions()


def end_trainings(context: BrowserContext, app_server: Studio) -> None:
    """Asks what this person still trains to end: a test that failed must not keep the one worker from the next."""
    with contextlib.suppress(PlaywrightError):
        listed = context.request.get("/api/v1/jobs", timeout=10_000)
        for job in listed.json()["items"] if listed.ok else []:
            if JobStatus(job["status"]) in ACTIVE:
                context.request.post(f"/api/v1/jobs/{job['id']}/stop", headers={"Origin": app_server.url})


# React hears everything from the document, and gives each element its handlers after that; until then a page that is
# already drawn lets a press or a drop go by unheard. Plotly's buttons are not React's.
HEARD = """() => {
  if (!window.__reactRouterContext) return true;
  const has = (thing, mark) => Object.keys(thing).some((key) => key.startsWith(mark));
  const buttons = [...document.querySelectorAll("button")].filter((one) => !one.closest(".js-plotly-plot"));
  return has(document, "_reactListening") && buttons.every((one) => has(one, "__reactProps"));
}"""


@pytest.fixture
def page(context: BrowserContext, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A tab whose `goto` returns when the page listens, not merely when it can be seen."""
    made = context.new_page()
    goto = made.goto

    def listening(url: str, **options: Any) -> Response | None:
        answer = goto(url, **options)
        made.wait_for_function(HEARD)
        return answer

    monkeypatch.setattr(made, "goto", listening)
    return made


@pytest.fixture
def person() -> Person:
    """A name and address that are not in use yet; no account is made."""
    tag = secrets.token_hex(4)
    return Person(f"ada-{tag}", f"ada-{tag}@example.org")


def sign_in(context: BrowserContext, studio: Studio, person: Person) -> None:
    """Makes an account in the studio's database, and gives the browser a session of it.

    The tests of signing up do that by the page. There argon2's usual parameters take half a second of a core.
    """
    token = make_account(studio, person)
    context.add_cookies([{"name": sessions.COOKIE_NAME, "value": token, "url": studio.url, "sameSite": "Lax"}])


def make_account(studio: Studio, person: Person) -> str:
    """Makes an account in the studio's database; the token of a session of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOREEL_DATA_DIR", str(studio.data_dir))
        forget_caches()
        with session_scope() as session:
            given = person.username, person.email, person.password
            actor = accounts.sign_up(session, *given, get_settings())
            token = sessions.open_session(session, actor.user_id, remember=True)
        engine().dispose()
    forget_caches()
    return token


@pytest.fixture
def signed_in(context: BrowserContext, app_server: Studio, person: Person) -> Person:
    """An account whose cookie the browser already holds."""
    sign_in(context, app_server, person)
    return person


@pytest.fixture
def account(app_server: Studio, person: Person) -> Person:
    """An account that has not logged in yet."""
    make_account(app_server, person)
    return person


@pytest.fixture
def api(app_server: Studio, signed_in: Person, context: BrowserContext) -> Iterator[httpx.Client]:
    """REST as the signed-in person: `api.get("/jobs")`."""
    cookies = {item["name"]: item["value"] for item in context.cookies() if "name" in item and "value" in item}
    headers = {"Origin": app_server.url}
    with httpx.Client(base_url=f"{app_server.url}/api/v1", cookies=cookies, headers=headers, timeout=30) as client:
        yield client
