"""A trainer that waits for its job holds no compiler, cloud client or database, and imports one when it is needed."""

import subprocess
import sys

from orchestrator.settings import ROOT

_PROGRAM = """
import sys
from jobs.trainer.silence import silence_libraries
from jobs.trainer.startup import end, fast_imports
silence_libraries()
with fast_imports():
    import jobs.trainer.entrypoint
unwanted = ("torch._inductor.compile_fx", "boto3", "botocore", "sqlalchemy")
print([name for name in unwanted if name in sys.modules])
import boto3, torch
print(boto3.__name__, torch.compile.__module__)
import atexit, gc
atexit.register(print, "asked for at the end", gc.isenabled())
end(3)
"""


def test_a_compiler_a_clouds_client_and_a_database_stay_out() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:3] == ["[]", "boto3 torch", "asked for at the end True"], done.stdout + done.stderr
    assert done.returncode == 3
