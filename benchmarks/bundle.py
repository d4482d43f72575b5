"""Size of the pages' scripts (gzip), and Lighthouse scores of login, overview and job page."""

import gzip
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Response, sync_playwright

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.studio import Studio, free_port, studio
from benchmarks.target import Target
from orchestrator.settings import ROOT
from orchestrator.stack.check import ensure_chromium
from orchestrator.stack.node import STATE_DIR, node_environment

LIGHTHOUSE = "13.5.0"
ROUNDS = 3
TARGETS: dict[str, Target] = {
    "login_js_kb": {"max": 200.0},
    "job_js_kb": {"max": 240.0},
    "login_performance": {"min": 95.0},
    "login_accessibility": {"min": 100.0},
    "login_best-practices": {"min": 100.0},
    "overview_performance": {"min": 95.0},
    "overview_accessibility": {"min": 100.0},
    "overview_best-practices": {"min": 100.0},
    "job_performance": {"min": 95.0},
    "job_accessibility": {"min": 100.0},
    "job_best-practices": {"min": 100.0},
}


def install_lighthouse() -> Path:
    """Installs Lighthouse with the checkout's other tools, without the browser it would download."""
    folder = STATE_DIR / "lighthouse"
    cli = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not cli.exists():
        folder.mkdir(parents=True, exist_ok=True)
        env = node_environment() | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
        command = ["npm", "install", "--no-save", "--silent", "--prefix", str(folder), f"lighthouse@{LIGHTHOUSE}"]
        subprocess.run(command, env=env, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    return cli


def _sign_up(context: BrowserContext, url: str) -> None:
    origin = {"Origin": url}
    account = {"username": "bench", "email": "bench@example.org", "password": "a quiet lamp at dusk 7"}
    assert context.request.post(f"{url}/api/v1/auth/signup", data=account, headers=origin).ok
    login = {"login": "bench", "password": account["password"]}
    assert context.request.post(f"{url}/api/v1/auth/login", data=login, headers=origin).ok


def _finished_job(context: BrowserContext, url: str) -> str:
    """The id of a short demo job that has ended."""

    def get(path: str) -> Any:
        return context.request.get(f"{url}/api/v1{path}").json()

    page = context.new_page()
    while not (datasets := get("/datasets?status=ready")["items"]) or not (models := get("/models")["items"]):
        page.wait_for_timeout(500)
    body = {"dataset_id": datasets[0]["id"], "model_id": models[0]["id"], "optim": {"max_steps": 30}}
    job = context.request.post(f"{url}/api/v1/jobs", data=body, headers={"Origin": url}).json()["id"]
    while get(f"/jobs/{job}")["status"] not in ("completed", "failed", "stopped"):
        page.wait_for_timeout(500)
    page.close()
    return job


def _script_kb(context: BrowserContext, address: str) -> float:
    """Kilobytes of all scripts that the page loads, each gzipped at level 9 as a proxy would."""
    bodies: dict[str, int] = {}

    def note(response: Response) -> None:
        if response.request.resource_type == "script" and response.ok:
            bodies[response.url] = len(gzip.compress(response.body(), 9))

    page = context.new_page()
    page.on("response", note)
    page.goto(address, wait_until="networkidle")
    page.close()
    return round(sum(bodies.values()) / 1000, 1)


def _scores(cli: Path, port: int, address: str) -> dict[str, float]:
    """Median scores, 0 to 100, of a phone as Lighthouse simulates it, in the browser that is signed in already."""
    runs: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        with tempfile.NamedTemporaryFile(suffix=".json") as report:
            command = ["node", str(cli), address, f"--port={port}", "--disable-storage-reset", "--quiet"]
            command += ["--output=json", f"--output-path={report.name}", "--max-wait-for-load=30000"]
            command += ["--only-categories=performance,accessibility,best-practices"]
            subprocess.run(command, env=node_environment(), cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
            runs.append(json.loads(Path(report.name).read_text())["categories"])
    return {name: round(statistics.median(100 * run[name]["score"] for run in runs), 1) for name in runs[0]}


def _measure(running: Studio, cli: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    port = free_port()
    os.environ.setdefault("CHROME_PATH", ensure_chromium())
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=ensure_chromium(), args=[*CHROMIUM_FLAGS, f"--remote-debugging-port={port}"]
        )
        figures["login_js_kb"] = _script_kb(context, f"{running.url}/login/")
        for kind, score in _scores(cli, port, f"{running.url}/login/").items():
            figures[f"login_{kind}"] = score
        _sign_up(context, running.url)
        job = _finished_job(context, running.url)
        figures["job_js_kb"] = _script_kb(context, f"{running.url}/jobs/{job}")
        for name, path in (("overview", "/overview"), ("job", f"/jobs/{job}")):
            for kind, score in _scores(cli, port, f"{running.url}{path}").items():
                figures[f"{name}_{kind}"] = score
        context.close()
    return figures


def run() -> dict[str, float]:
    """Kilobytes and scores; medians of three Lighthouse runs."""
    cli = install_lighthouse()
    with studio() as running:
        return _measure(running, cli)
