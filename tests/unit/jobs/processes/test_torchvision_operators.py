"""torchvision can be imported beside a build of torch that its compiled operators do not fit."""

import subprocess
import sys
from ast import literal_eval

PROGRAM = """
import sys
import jobs.processes.torchvision_operators
from transformers.utils import is_torchvision_available

assert is_torchvision_available() and "torchvision" not in sys.modules, "it is found without being imported"
import torch, torchvision
from transformers import Qwen2VLVideoProcessor

frames = torch.randint(0, 256, (4, 3, 60, 84), dtype=torch.uint8)
print(tuple(Qwen2VLVideoProcessor()(videos=[frames], return_tensors="pt")["video_grid_thw"][0].tolist()))
"""
BROKEN = """
import pathlib, sys, tempfile
package = pathlib.Path(tempfile.mkdtemp())
(package / "_C.so").write_bytes(b"built for another torch")
from jobs.processes.torchvision_operators import define_missing_operators
import torch

assert define_missing_operators(package)
print(torch.ops.torchvision.nms.default._schema)
"""

START = """
import sys
before = set(sys.modules)
import jobs.processes.torchvision_operators
print(sorted(set(sys.modules) - before))
"""


def _output(program: str, *options: str) -> str:
    done = subprocess.run([sys.executable, *options, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_processors_of_videos_work_with_the_torch_that_is_installed() -> None:
    assert _output(PROGRAM).startswith("(2, ")


def test_the_schemas_of_operators_that_cannot_be_loaded_are_defined() -> None:
    assert "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" in _output(BROKEN)


def test_it_imports_nothing_as_a_python_starts() -> None:
    """Each process of a studio runs it: -S leaves out what the environment's own start has loaded."""
    loaded = set(literal_eval(_output(START, "-S")))
    assert "jobs.processes.torchvision_operators" in loaded
    assert not loaded & {"importlib.abc", "pathlib", "re", "tempfile", "typing"}
