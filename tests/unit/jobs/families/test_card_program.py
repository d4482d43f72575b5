"""A card's program gives its model the frames that training used, with a sampling rate and without, in 4 bits or 16."""

import ast
import builtins
from pathlib import Path
from typing import Any

import pytest

from jobs.families.card_program import sampled_frames, sampling_function
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
    names: dict[str, Any] = {"frames": list(range(total)), "count": 8, "rate": 25.0}
    exec(sampling_function(fps), names)
    assert eval(sampled_frames(fps), names) == sample_indices(total, 8, 25.0, fps)


def base_of(name: str, folder: Path) -> Path:
    if name in SHIPPED:
        return ROOT / "orchestrator" / "builtin" / "models" / SHIPPED[name]
    return (make_tiny if name in CONFIGS else make_base)(name, folder)


def test_no_family_is_left_out() -> None:
    assert {*SHIPPED, *ENCODERS, *RETRIEVERS, *CONFIGS} == set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_program_is_complete(name: str, tmp_path: Path) -> None:
    """It parses, uses no name that it does not define or import, imports nothing of this project."""
    base = read_base(base_of(name, tmp_path / "base"))
    classifies = name in ENCODERS or name == "videomae"
    task = "classification" if classifies else "retrieval" if name in RETRIEVERS else "captioning"
    for fps, sampled in ((12.5, ", rate, 12.5)]"), (None, "len(frames) / ")):
        for bits in (4, 16):
            recipe = parse_recipe({"data": {"fps": fps}, "qlora": {"bits": bits}})
            plan = Plan(base, recipe, task, ("a", "b"), ("it hops",))
            _, program = resolve(base).program(plan, '"base"')
            assert sampled in program
            assert ("rate = float(" in program) is bool(fps)
            assert ("load_in_4bit=True" in program) is (bits == 4)
            _check_names(ast.parse(program))


def _check_names(tree: ast.Module) -> None:
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] in {"pathlib", "peft", "torch", "transformers", "PIL"}
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {alias.asname or alias.name for alias in node.names}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    defined = {node.id for node in nodes if isinstance(node.ctx, ast.Store)} | imported
    defined |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    defined |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    used = {node.id for node in nodes if isinstance(node.ctx, ast.Load)}
    assert used - defined - set(dir(builtins)) - {"__file__"} == set()
    assert imported <= used, "an import that nothing uses"
