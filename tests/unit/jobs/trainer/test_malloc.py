"""A step finds the memory that the step before it gave back: the system takes no pages away between them."""

import platform
import subprocess
import sys

import pytest

from orchestrator.settings import ROOT

_PROGRAM = """
import resource
from jobs.trainer.malloc import keep_freed_memory
assert keep_freed_memory()
import torch
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for step in range(8):
    before = faults()
    held = [torch.ones(20_000 + 1_000 * each) for each in range(200)]
    del held
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc is told so by glibc alone")
def test_pages_stay_between_steps() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200, "95 MB were given back and allocated again"
