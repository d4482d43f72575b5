"""A trainer that waits for its job holds no compiler and no cloud's client, and whoever needs one later gets it."""

import subprocess
import sys

from orchestrator.settings import ROOT

_PROGRAM = """
import sys
from jobs.trainer.quiet import hush
from jobs.trainer.lean import import_lean
hush()
import_lean()
import jobs.trainer.run
print([name for name in ("torch._inductor.compile_fx", "boto3", "botocore") if name in sys.modules])
import boto3, torch
print(boto3.__name__, torch.compile.__module__)
"""


def test_a_compiler_and_a_clouds_client_stay_out() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "boto3 torch"], done.stdout
