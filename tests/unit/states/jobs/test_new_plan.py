"""The plan of the job form agrees with what the launch would say."""

import pytest

from orchestrator.domain.base import utcnow
from orchestrator.domain.recipes import Recipe
from orchestrator.services.training.recipe_limits import MEMORY_SHARE, fit_problems
from orchestrator.services.training.rows import Preflight
from orchestrator.services.workers import WorkerRow
from orchestrator.states.jobs.new_rows import make_plan

MEMORY = 10_000_000_000


@pytest.mark.parametrize("share", [0.5, MEMORY_SHARE - 0.001, MEMORY_SHARE, MEMORY_SHARE + 0.001, 2.0])
def test_the_bar_is_tight_exactly_where_a_launch_is_refused(share: float) -> None:
    needed = round(share * MEMORY)
    now = utcnow()
    worker = WorkerRow("w", "h", "a GPU", "gpu", True, now, now, None, "", False, 0, 0, 1, 2, gpu_memory_total=MEMORY)
    plan = make_plan(Preflight(ok=True, problems=[], steps=1, memory_bytes=needed), [worker])
    assert plan.fits is (fit_problems(Recipe(), needed, MEMORY) == [])
