"""The plan of the job form agrees with what the launch would say."""

import pytest

from orchestrator.domain.base import utcnow
from orchestrator.domain.recipes import Recipe
from orchestrator.services.training.recipe_limits import MEMORY_SHARE, fit_problems
from orchestrator.services.training.rows import Preflight, ShapeGroup
from orchestrator.services.workers import WorkerRow
from orchestrator.states.jobs.new_rows import (
    Plan,
    make_plan,
    plan_of_jobs,
    review_blocks,
    review_rows,
    sweep_fields,
    sweep_rows,
)

MEMORY = 10_000_000_000


@pytest.mark.parametrize("share", [0.5, MEMORY_SHARE - 0.001, MEMORY_SHARE, MEMORY_SHARE + 0.001, 2.0])
def test_the_bar_is_tight_exactly_where_a_launch_is_refused(share: float) -> None:
    needed = round(share * MEMORY)
    now = utcnow()
    worker = WorkerRow("w", "h", "a GPU", "gpu", True, now, now, None, "", False, 0, 0, 1, 2, gpu_memory_total=MEMORY)
    plan = make_plan(Preflight(ok=True, problems=[], steps=1, memory_bytes=needed), [worker])
    assert plan.fits is (fit_problems(Recipe(), needed, MEMORY) == [])


def test_the_clips_are_listed_by_size_with_what_is_cut() -> None:
    groups = [ShapeGroup(640 + n, 360, 10 - n, 8, 32, 308, 168, 264, 1056, 3 if n == 0 else 0) for n in range(8)]
    known = Preflight(
        ok=True, problems=[], steps=1, train_clips=40, validation_clips=14, context=1000, shapes=tuple(groups),
        over_context=3,
    )  # fmt: skip
    plan = make_plan(known, [])
    first = plan.shapes[0]
    assert (first.size, first.clips, first.frames) == ("640 \u00d7 360", "10", "8\u201332")
    assert (first.seen, first.tokens) == ("308 \u00d7 168", "264\u20131,056")
    assert (len(plan.shapes), plan.counts_tokens) == (6, True)
    assert plan.other_shapes.replace("\xa0", " ") == "9 clips of other sizes."
    cut = "3 clips (5.8 %) do not fit the context of 1,000 tokens."
    assert " ".join(plan.cut_clips.split()) == cut
    same = ShapeGroup(320, 180, 4, 16, 16, 224, 224, 0, 0, 0)
    plain = make_plan(Preflight(ok=True, problems=[], steps=1, train_clips=4, shapes=(same,)), [])
    assert (plain.shapes[0].frames, plain.counts_tokens, plain.other_shapes, plain.cut_clips) == ("16", False, "", "")


SWEEP = {"sweep.field1": "optim.learning_rate", "sweep.values1": "5e-4 1e-3 4e-3"}


def test_the_review_of_a_sweep_names_its_values_once_and_the_cost_of_all_jobs() -> None:
    varied = sweep_fields(SWEEP)
    rows = [*review_rows("shapes", "tiny", Recipe(), "", varied), *sweep_rows(SWEEP)]
    assert [row.value for row in rows if row.label == "Learning rate"] == ["5e-4, 1e-3, 4e-3"]
    assert next(block.title for block in review_blocks(rows)) == "Dataset and model"
    assert len(review_blocks(rows)) <= 6
    plan = plan_of_jobs(Plan(known=True, steps="24", time="1 min", seconds=115.0), 3)
    assert (plan.steps, plan.time.replace("\xa0", " ")) == ("3 \u00d7 24", "5 min 45 s for 3 jobs")
    assert plan_of_jobs(Plan(known=True, steps="24"), 1).steps == "24"


def test_what_is_trained_says_whether_the_head_is_counted() -> None:
    known = Preflight(ok=True, problems=[], steps=1, trainable_parameters=147_972)
    assert make_plan(known, []).trainable == "147,972"
    unknown = Preflight(ok=True, problems=[], steps=1, trainable_parameters=147_456, counts_head=False)
    assert make_plan(unknown, []).trainable == "147,456 in adapters"
    measured = Preflight(
        ok=True, problems=[], steps=1, trainable_parameters=147_456, counts_head=False, rehearsed={"trainable": 300_000}
    )
    assert make_plan(measured, []).trainable == "300,000"
