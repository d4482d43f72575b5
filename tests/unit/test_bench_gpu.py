"""The GPU bench on a processor: both sides train a toy's shape, and without a GPU it says so in one sentence."""

import subprocess
import sys

import pytest
import torch

from benchmarks.catalog import names
from benchmarks.gpu.bench import compare
from benchmarks.gpu.shapes import Work
from benchmarks.runner import main
from orchestrator.settings import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen2_5_vl", "videomae"])
def test_both_sides_train_the_same(family: str) -> None:
    figures = compare([Work(family, 4, 2, clips=6, epochs=2, tiny=True)], "cpu")
    name = f"{family}_4"
    assert figures[f"{name}_plain_clips_per_s"] > 0
    assert figures[f"{name}_ours_clips_per_s"] > 0
    assert figures[f"{name}_ours_loss"] == pytest.approx(figures[f"{name}_plain_loss"], rel=0.2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "gpu" in names()
    assert main(["gpu"]) == 0
    assert capsys.readouterr().out.strip() == (
        "This bench needs an NVIDIA GPU, and there is none here: nothing was measured."
    )


@pytest.mark.slow
def test_it_runs_where_neither_pyav_nor_the_web_is_installed() -> None:
    """A machine with the training packages alone: everything else must not be asked for."""
    barred = ("av", "reflex", "structlog", "pydantic_settings", "rouge_score", "fastapi")
    program = (
        f"import sys\nfor name in {barred!r}: sys.modules[name] = None\n"
        "import benchmarks.gpu.bare as bare\n"
        "bare.find_spec = lambda name: None\n"
        "import benchmarks.gpu.ours, benchmarks.gpu.plain\nprint('fine')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("fine"), done.stderr[-2000:]
