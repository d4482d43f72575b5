"""Takes the pictures in docs/screenshots from a real studio: `.venv/bin/python -m scripts.screenshots [NAME ...]`.

It starts a Loreel of its own, trains the demo and a sweep, and photographs each page while something runs: dark and
light at 1280 px, dark at 375 px. With names (`job-running compare`) only those pages are taken.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.studio import Studio, studio
from orchestrator.stack.check import ensure_chromium

OUT = Path(os.environ.get("LOREEL_SHOTS_DIR") or Path(__file__).resolve().parent.parent / "docs" / "screenshots")
SOCIAL = Path(__file__).resolve().parent.parent / "assets" / "social.png"
VARIANTS = {"dark-1280": ("dark", 1280, 960), "light-1280": ("light", 1280, 960), "dark-375": ("dark", 375, 812)}
PUBLIC_PAGES = {"landing": "/", "login": "/login", "signup": "/signup", "not-found": "/nowhere"}
OPTIM = {"learning_rate": 2e-3, "batch_size": 16}


class SignedInStudio:
    """A running studio with an account; `get` and `post` call REST as its user."""

    def __init__(self, running: Studio, browser: Browser) -> None:
        self.url, self.browser = running.url, browser
        self.context = browser.new_context(base_url=running.url)
        self.post("/auth/signup", {"username": "ada", "email": "ada@example.org", "password": "a quiet lamp at dusk 7"})
        self.post("/auth/login", {"login": "ada", "password": "a quiet lamp at dusk 7"})

    def get(self, path: str) -> Any:
        return self.context.request.get(f"/api/v1{path}").json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.context.request.post(f"/api/v1{path}", data=body, headers={"Origin": self.url})
        assert answer.ok, f"{path}: {answer.text()}"
        return answer.json() if answer.text() else None

    def wait(self, job: str, *statuses: str, progress: float = 0.0) -> dict[str, Any]:
        while True:
            row = self.get(f"/jobs/{job}")
            if row["status"] in statuses and (row["progress"] or 0) >= progress:
                return row
            assert row["status"] not in ("failed", "stopped"), row
            time.sleep(0.5)


def demos(signed_in: SignedInStudio) -> tuple[dict[str, str], dict[str, str]]:
    """The ids of the demo datasets by task, and of the built-in bases by type, once all are ready."""
    while True:
        datasets = {row["task"]: row["id"] for row in signed_in.get("/datasets?status=ready")["items"]}
        models = {row["model_type"]: row["id"] for row in signed_in.get("/models")["items"] if row["status"] == "ready"}
        if len(datasets) >= 2 and len(models) >= 3:
            return datasets, models
        time.sleep(1)


def shoot(page: Page, address: str, path: Path) -> None:
    """Takes one page (`address#Tab`: with that tab open) once it shows no skeleton; live pages never become idle."""
    address, _, tab = address.partition("#")
    page.goto(address)
    page.wait_for_selector("h1")
    page.wait_for_function("document.querySelectorAll('main [aria-busy=true]').length === 0", timeout=60_000)
    if tab:
        page.get_by_role("tab", name=tab).click()
    page.wait_for_timeout(2_500)
    page.screenshot(path=path)


def take(signed_in: SignedInStudio, pages: dict[str, str], chosen: list[str], state: Any = None) -> None:
    """Takes each chosen page (none: all) in each variant; `state`: the cookies of a signed-in user, if any."""
    for variant, (scheme, width, height) in VARIANTS.items():
        context: BrowserContext = signed_in.browser.new_context(
            base_url=signed_in.url,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": height},
            storage_state=state,
        )
        page = context.new_page()
        for name, address in pages.items():
            if not chosen or name in chosen:
                shoot(page, address, OUT / f"{name}-{variant}.png")
                print(f"{name}-{variant}", flush=True)
        context.close()


def take_social(signed_in: SignedInStudio, address: str, state: Any) -> None:
    """The picture that chats show next to a link."""
    context = signed_in.browser.new_context(
        base_url=signed_in.url, color_scheme="dark", viewport={"width": 1200, "height": 630}, storage_state=state
    )
    shoot(context.new_page(), address, SOCIAL)
    context.close()


def main(chosen: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with studio() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_chromium(), args=CHROMIUM_FLAGS)
        signed_in = SignedInStudio(running, browser)
        datasets, models = demos(signed_in)
        take(signed_in, PUBLIC_PAGES, chosen)
        things = {"dataset_id": datasets["classification"], "model_id": models["video_classification"]}
        body = things | {"optim": OPTIM | {"epochs": 10}, "output_name": "motions"}
        done = signed_in.post("/jobs", body)["id"]
        signed_in.wait(done, "completed")
        short = things | {"optim": OPTIM | {"epochs": 6}, "output_name": "rates"}
        sweep = signed_in.post("/sweeps", short | {"sweep": {"optim.learning_rate": [5e-4, 1e-3, 2e-3, 4e-3]}})
        for job in sweep["jobs"]:
            signed_in.wait(str(job["id"]), "completed")
        # One whose curve falls while it is photographed, then one that outlasts all other pages.
        falls = signed_in.post(
            "/jobs", things | {"optim": OPTIM | {"learning_rate": 5e-4, "epochs": 60}, "output_name": "falls"}
        )["id"]
        waits = signed_in.post("/jobs", things | {"optim": OPTIM | {"epochs": 240}, "output_name": "longer"})["id"]
        signed_in.post("/jobs", body | {"output_name": "next-in-line"})
        signed_in.wait(falls, "running", progress=0.5)
        state = signed_in.context.storage_state()
        if not chosen or "social" in chosen:
            take_social(signed_in, f"/jobs/{falls}", state)
        running_pages = {"job-running": f"/jobs/{falls}", "job-system": f"/jobs/{falls}#System", "workers": "/workers"}
        take(signed_in, running_pages, chosen, state)
        signed_in.wait(waits, "running", progress=0.02)
        adapter = signed_in.get("/adapters")["items"][-1]["id"]
        pages = {
            "overview": "/overview",
            "jobs": "/jobs",
            "job-completed": f"/jobs/{done}",
            "job-samples": f"/jobs/{done}#Samples",
            "compare": f"/jobs/compare?sweep={sweep['id']}",
            "wizard": f"/jobs/new?dataset={things['dataset_id']}&model={things['model_id']}",
            "datasets": "/datasets",
            "dataset": f"/datasets/{things['dataset_id']}",
            "dataset-add": "/datasets/new",
            "models": "/models",
            "model": f"/models/{things['model_id']}",
            "model-add": "/models/new",
            "adapters": "/adapters",
            "adapter": f"/adapters/{adapter}",
            "playground": "/playground",
            "settings": "/settings",
        }
        take(signed_in, pages, chosen, state)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
