"""A card's program shows its model the frames that the training showed: with frames a second, and without."""

import ast
from pathlib import Path
from typing import Any

import pytest

from jobs.families.frame_picking_code import picking
from jobs.families.protocol import Plan
from jobs.families.registry import MODULES, read_base, resolve
from jobs.video.sampling import sample_indices
from orchestrator.domain.recipes import parse_recipe
from orchestrator.settings import ROOT
from tests.fakes.bases import ENCODERS, RETRIEVERS, make_base
from tests.unit.jobs.families.tiny_llms import CONFIGS, make_tiny

SHIPPED = {"videomae": "videomae-tiny", "vision-encoder-decoder": "captioner-tiny"}


@pytest.mark.parametrize("fps", [None, 2.0, 12.5, 200.0])
@pytest.mark.parametrize("total", [1, 7, 90])
def test_the_same_frames(fps: float | None, total: int) -> None:
    picked = picking("count", fps)
    names: dict[str, Any] = {"frames": list(range(total)), "count": 8, "rate": 25.0}
    exec(picked.rule, names)
    assert eval(picked.seen, names) == sample_indices(total, 8, 25.0, fps)


def base_of(name: str, folder: Path) -> Path:
    if name in SHIPPED:
        return ROOT / "orchestrator" / "builtin" / "models" / SHIPPED[name]
    return (make_tiny if name in CONFIGS else make_base)(name, folder)


def test_no_family_is_left_out() -> None:
    assert {*SHIPPED, *ENCODERS, *RETRIEVERS, *CONFIGS} == set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_card_asks_for_them(name: str, tmp_path: Path) -> None:
    base = read_base(base_of(name, tmp_path / "base"))
    classifies = name in ENCODERS or name == "videomae"
    task = "classification" if classifies else "retrieval" if name in RETRIEVERS else "captioning"
    for fps, said in ((12.5, ", rate, 12.5)]"), (None, "len(frames) / ")):
        recipe = parse_recipe({"data": {"fps": fps}})
        plan = Plan(base, recipe, task, ("a", "b"), ("it hops",))
        _, program = resolve(base).program(plan, '"base"')
        ast.parse(program)
        assert said in program
        assert ("rate = float(" in program) is bool(fps)
