"""A clean restart of `./loreel up` under a run: it checkpoints and goes on by itself, and so does the open page."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, expect

from benchmarks.studio import Studio, free_port, launch, wait_ready
from tests.e2e.conftest import Person, sign_in
from tests.e2e.test_jobs import RECIPE, wait_for
from tests.e2e.test_monitoring import last_step, loss_points, wait_past
from tests.e2e.test_wizard import wait_for_demo
from tests.studio import until

STEPS = 60


@pytest.fixture
def own(app_server: Studio, tmp_path: Path) -> Iterator[Studio]:
    """A Loreel of this test's own, on built pages and with the clips of the demo, which take 8 s of a core to draw."""
    demo = app_server.data_dir / "storage" / "demo"
    until((demo / "manifest.json").exists, 180, "the clips of the demo are drawn")
    with _studio(tmp_path / "up.log", demo) as made:
        yield made


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Studio]:
    """As `own`, without controller and workers."""
    with _studio(tmp_path / "up.log", web_only=True) as made:
        yield made


@contextmanager
def _studio(log: Path, demo: Path | None = None, web_only: bool = False) -> Iterator[Studio]:
    port, home = free_port(), Path(tempfile.mkdtemp(prefix="lrl-", dir="/tmp"))  # short: a socket lies in it
    if demo:
        shutil.copytree(demo, home / "storage" / "demo")
    made = Studio(f"http://localhost:{port}", home, launch(home, port, log, web_only), log)
    try:
        wait_ready(made.process, made.data_dir, port, log)
        yield made
    finally:
        _end(made)
        shutil.rmtree(home, ignore_errors=True)


def _end(studio: Studio) -> None:
    studio.process.send_signal(signal.SIGTERM)
    try:
        studio.process.wait(60)
    except subprocess.TimeoutExpired:
        studio.process.kill()
        raise


def _mine(studio: Studio) -> list[str]:
    """Living processes that work on this data folder."""
    mark = str(studio.data_dir)
    found = []
    for process in psutil.process_iter(["cmdline", "pid", "status"]):
        try:
            here = process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE
            if here and process.environ().get("LOREEL_DATA_DIR") == mark:
                found.append(" ".join(process.info["cmdline"] or []))
        except psutil.Error:
            continue
    return found


def test_what_is_typed_in_a_dialog_outlives_a_restart(own_web: Studio, browser: Browser) -> None:
    own = own_web
    context = browser.new_context(base_url=own.url, viewport={"width": 1280, "height": 900})
    sign_in(context, own, Person("ada", "ada@example.org"))
    body = {"name": "gestures", "task": "classification"}
    assert context.request.post("/api/v1/datasets", data=body, headers={"Origin": own.url}).status == 201
    page = context.new_page()
    page.goto("/datasets/")
    page.get_by_role("button", name="Actions for gestures").click()
    page.get_by_role("menuitem", name="Edit metadata").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("hands")
    dialog.get_by_label("Description").fill("Of everybody, in the kitchen.")
    page.wait_for_function("Object.values(sessionStorage).includes('Of everybody, in the kitchen.')")

    _end(own)
    expect(page.locator("[data-connection-notice]")).to_be_visible()
    own.process = launch(own.data_dir, int(own.url.rpartition(":")[2]), own.log, web_only=True)
    wait_ready(own.process, own.data_dir, int(own.url.rpartition(":")[2]), own.log)
    expect(page.locator("[data-connection-notice]")).to_have_count(0, timeout=30_000)
    page.wait_for_timeout(1_000)  # the server has said by then what it knows, which was nothing
    expect(dialog.get_by_label("Name")).to_have_value("hands")
    expect(dialog.get_by_label("Description")).to_have_value("Of everybody, in the kitchen.")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="hands", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="hands", exact=True)).to_be_visible()
    expect(dialog).to_have_count(0)
    context.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_clean_restart_goes_on(own: Studio, browser: Browser) -> None:
    context = browser.new_context(base_url=own.url, viewport={"width": 1280, "height": 900})
    sign_in(context, own, Person("ada", "ada@example.org"))
    head = {"Origin": own.url}
    cookies = {item["name"]: item["value"] for item in context.cookies() if "name" in item and "value" in item}
    with httpx.Client(base_url=f"{own.url}/api/v1", cookies=cookies, headers=head, timeout=30) as api:
        dataset, model = wait_for_demo(api)
        body = RECIPE | {"dataset_id": dataset, "model_id": model, "optim": {"max_steps": STEPS, "batch_size": 16}}
        job = str(api.post("/jobs", json=body).json()["id"])
        page = context.new_page()
        page.goto(f"/jobs/{job}")
        wait_past(page, 3)

        _end(own)
        assert _mine(own) == [], "nothing outlives the studio"
        again = launch(own.data_dir, int(own.url.rpartition(":")[2]), own.log)
        own.process = again
        wait_past(page, last_step(page))
        found = wait_for(api, job, "completed", "failed")
        wait_past(page, STEPS - 1)

        assert (found["status"], found["attempt"]) == ("completed", 2), found["error"]
        kinds = [event["kind"] for event in api.get(f"/jobs/{job}/timeline").json()["items"]]
        assert "suspended" in kinds
        assert "lost" not in kinds
        assert set(range(1, STEPS + 1)) <= loss_points(page), "the page shows the whole run"
    records = (own.data_dir / "jobs" / job / "a2" / "metrics.jsonl").read_text().splitlines()
    trained = [r["step"] for r in map(json.loads, records) if r["kind"] == "metric" and "loss" in r["values"]]
    assert trained == list(range(1, STEPS + 1)), "no step is trained twice"
    context.close()
