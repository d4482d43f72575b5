"""The newcomer's whole way: sign up, train the demo, watch it live, take the adapter home, use it elsewhere."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.studio import Studio
from tests.e2e.conftest import Person

SHOWN = 200
"""Rows of the chart's table at most."""

ELSEWHERE = """
import json, sys
from pathlib import Path
import av, torch
from peft import PeftModel
from transformers import AutoConfig, AutoImageProcessor, AutoModelForVideoClassification, BitsAndBytesConfig

here = Path(sys.argv[1])
held = json.loads(Path(sys.argv[2]).read_text())
config = AutoConfig.from_pretrained(here)
base = AutoModelForVideoClassification.from_pretrained(
    here / "base", config=config, ignore_mismatched_sizes=True, dtype=torch.float32,
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules=["classifier"],
    ),
)
model = PeftModel.from_pretrained(base, here).eval()
processor = AutoImageProcessor.from_pretrained(here)
right = 0
for path, label in held:
    with av.open(path) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    seen = [frames[int((i + 0.5) * len(frames) / config.num_frames)] for i in range(config.num_frames)]
    with torch.no_grad():
        best = int(model(**processor(seen, return_tensors="pt")).logits[0].argmax())
    right += config.id2label[best] == label
print(json.dumps({"right": right, "of": len(held)}))
"""


def _sign_up(page: Page, person: Person) -> None:
    page.goto("/signup")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_label("Confirm password").fill(person.password)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(re.compile(r"/overview/?$"))


def _chart(page: Page) -> dict[str, int]:
    data = page.locator("[data-loss-chart]").first.evaluate("e => ({...e.dataset})")
    return {"points": int(data["pointCount"]), "step": int(data["lastStep"])}


def _wait_for_step(page: Page, step: int) -> None:
    """Until the chart holds this step."""
    chart = "document.querySelector('[data-loss-chart]')?.dataset.lastStep"
    page.wait_for_function(f"() => Number({chart}) >= {step}", timeout=240_000)


def _steps_shown(page: Page) -> list[int]:
    """The steps of the chart's own table."""
    page.get_by_role("button", name="Show as table").first.click()
    cells = page.locator("[data-loss-chart] tbody tr td:first-child").all_inner_texts()
    page.get_by_role("button", name="Show as chart").first.click()
    return sorted(int(text.replace(",", "")) for text in cells)


def _loss_steps(context: BrowserContext, job: str) -> list[int]:
    curves = context.request.get(f"/api/v1/jobs/{job}/metrics?points=5000").json()["series"]
    return [int(step) for step, _ in curves["loss"]]


def _validation_count(folder: Path, studio: Studio) -> list[list[str]]:
    """The clips that the run was judged on, as the adapter's own result names them: [file, label]."""
    predictions: list[dict[str, Any]] = json.loads((folder / "predictions.json").read_text())
    with closing(sqlite3.connect(studio.data_dir / "loreel.db")) as ledger:
        paths = dict(ledger.execute("SELECT id, path FROM clips").fetchall())
    return [[str(studio.data_dir / "storage" / paths[row["clip_id"]]), row["label"]] for row in predictions]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_from_sign_up_to_an_adapter_that_works_elsewhere(
    page: Page, context: BrowserContext, app_server: Studio, person: Person, tmp_path: Path
) -> None:
    _sign_up(page, person)
    demo = page.locator("#train-demo")
    expect(demo).to_be_visible(timeout=180_000)
    demo.click()
    page.wait_for_url(re.compile(r"/jobs/\d+/?$"))
    job = page.url.rstrip("/").rpartition("/")[2]

    # The empty page goes live by itself, and the points grow without a reload.
    _wait_for_step(page, 2)
    early = _chart(page)
    _wait_for_step(page, early["step"] + 3)
    assert re.match(r"\d+\s%", page.title())

    # A reload and a second tab in the middle of the run show every step, with no hole.
    for tab in (page, context.new_page()):
        tab.goto(f"/jobs/{job}")
        known = _loss_steps(context, job)
        _wait_for_step(tab, known[-1] + 1)
        shown = _steps_shown(tab)
        assert shown == list(range(max(1, shown[-1] - SHOWN + 1), shown[-1] + 1))
    tab.close()

    expect(page.locator("main [data-status=completed]").first).to_be_visible(timeout=1_200_000)
    accuracy = float(page.locator("#job-accuracy").inner_text().split("\u202f")[0]) / 100
    assert accuracy >= 0.8
    shown = _steps_shown(page)
    assert shown == _loss_steps(context, job)[-len(shown) :]

    _visit_clips(page)
    with page.expect_download() as download:
        page.locator("#job-download").click()
    archive = tmp_path / "adapter.zip"
    download.value.save_as(archive)
    _visit_first_steps(page)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "home")
    folder = next(path.parent for path in (tmp_path / "home").rglob("adapter_config.json"))
    _used_elsewhere(folder, accuracy, app_server, tmp_path)


def _visit_first_steps(page: Page) -> None:
    """What was done is ticked; the list is put away for good."""
    page.goto("/overview")
    done = page.locator("#first-steps [data-done=true]")
    expect(done).to_have_count(2)
    expect(done.nth(0)).to_contain_text("Train the demo, done")
    expect(done.nth(1)).to_contain_text("Take an adapter home, done")
    page.locator("#checklist-hide").click()
    expect(page.locator("#first-steps")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Recent jobs")).to_be_visible()
    expect(page.locator("#first-steps")).to_have_count(0)


def _visit_clips(page: Page) -> None:
    """Validation clips play next to the model's answers; a wrong count leads to its clips; files are listed."""
    page.get_by_role("tab", name="Samples").click()
    samples = page.locator("#job-samples > li")
    expect(samples).to_have_count(8)
    expect(samples.first).to_contain_text(re.compile(r"Predicted \w+ [\d.]+\s%.*Label \w+"))
    samples.first.get_by_role("button").click()
    expect(samples.first.locator("video")).to_be_visible()
    page.wait_for_function("() => document.querySelector('#job-samples video')?.currentTime > 0")
    page.get_by_role("tab", name="Overview").click()
    if (wrong := page.locator("#confusion button")).count():
        count = int(wrong.first.inner_text())
        wrong.first.click()
        expect(page.locator("#job-mistakes > li")).to_have_count(count)
        expect(page.locator("#misclassified")).to_be_focused()
        expect(page.locator("#misclassified")).to_be_in_viewport()
        assert page.url.endswith("?tab=samples")
    page.get_by_role("tab", name="Files").click()
    expect(page.locator("#job-files")).to_contain_text("adapter/adapter_model.safetensors")


def _used_elsewhere(folder: Path, accuracy: float, app_server: Studio, tmp_path: Path) -> None:
    """A plain script with transformers and peft only gets as many held-out clips right as the page said."""
    held = tmp_path / "held.json"
    held.write_text(json.dumps(_validation_count(folder, app_server)))
    script = tmp_path / "elsewhere.py"
    script.write_text(ELSEWHERE)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(held)], capture_output=True, text=True, env=env, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["right"] / result["of"] == pytest.approx(accuracy, abs=0.021)
