"""Real input: films cut into clips, zipped by class, uploaded through the page, trained on, the adapter taken home."""

import io
import re
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from orchestrator.settings import ROOT
from tests.e2e.conftest import Person
from tests.fakes.videos import cut_video, zip_folder

FILMS = Path("shared/data/llamafactory_video_demo/mllm_demo_data")
SEGMENTS = 12


def films() -> list[Path]:
    """The source videos next to the project's folder."""
    for folder in ROOT.parents:
        if (folder / FILMS).is_dir():
            return sorted(path for path in (folder / FILMS).iterdir() if path.suffix in (".mp4", ".avi"))
    return []


@pytest.mark.slow
def test_own_videos_become_an_adapter(page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path) -> None:
    sources = films()
    if len(sources) < 2:
        pytest.skip(f"No films in ../{FILMS}: this test needs at least two.")
    for source in sources:
        cut_video(source, tmp_path / "clips" / f"film {source.stem}", SEGMENTS)
    archive = zip_folder(tmp_path / "clips", tmp_path / "own-videos.zip")

    page.goto("/datasets/new/")
    page.locator("[data-uploader=files]").set_input_files(str(archive))
    expect(page.get_by_label("Name")).to_have_value("own-videos")
    page.get_by_role("button", name="Add dataset").click()
    page.wait_for_url(re.compile(r"/datasets/\d+"), timeout=60_000)
    expect(page.locator("main [data-status=ready]").first).to_be_visible(timeout=120_000)
    expect(page.get_by_role("heading", name="own-videos")).to_be_visible()
    expect(page.get_by_text(f"of {SEGMENTS * len(sources)}")).to_be_visible()

    dataset_id = page.url.rstrip("/").rpartition("/")[2]
    job_id = launch(api, dataset_id)
    job = wait_for(api, job_id)
    assert job["status"] == "completed", job["error"]
    archive_bytes = api.get(f"/jobs/{job_id}/download").content
    with zipfile.ZipFile(io.BytesIO(archive_bytes)) as adapter:
        assert any(name.endswith("adapter_model.safetensors") for name in adapter.namelist())


def launch(api: httpx.Client, dataset_id: str) -> str:
    model = api.get("/models", params={"q": "VideoMAE"}).json()["items"][0]
    body = {
        "dataset_id": int(dataset_id),
        "model_id": int(model["id"]),
        "qlora": {"r": 8, "alpha": 16},
        "optim": {"learning_rate": 0.002, "batch_size": 8, "epochs": 3},
        "output_name": "own-videos",
    }
    answer = api.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def wait_for(api: httpx.Client, job_id: str, limit_s: float = 280.0) -> dict:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        job = api.get(f"/jobs/{job_id}").json()
        if job["status"] in ("completed", "failed", "stopped"):
            return job
        time.sleep(1)
    pytest.fail(f"job {job_id} did not end in {limit_s} s")
