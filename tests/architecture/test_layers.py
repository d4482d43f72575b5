"""The web process must start without the heavy machines, and the workshop without the web framework."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "peft", "bitsandbytes", "jobs")
WEB = ("reflex", "orchestrator.pages", "orchestrator.states", "orchestrator.ui", "orchestrator.api")

CASES = [
    ("orchestrator.api.app", HEAVY),
    ("orchestrator.orchestrator", HEAVY),
    ("jobs.worker", (*WEB, "torch", "transformers")),
    ("jobs.controller", (*WEB, "torch", "transformers")),
    ("jobs.tasks", WEB),
    ("jobs.trainer.entrypoint", WEB),
]


@pytest.mark.parametrize(("module", "forbidden"), CASES)
def test_import_stays_on_its_floor(module: str, forbidden: tuple[str, ...]) -> None:
    code = (
        f"import sys, {module}; forbidden = {forbidden!r}; "
        "print([m for m in sys.modules if any(m == f or m.startswith(f + '.') for f in forbidden)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]", f"{module} drags in {done.stdout[:500]}"
