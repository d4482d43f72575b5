"""A card's program gives its model the frames that training used, with a sampling rate and without, in 4 bits or 16."""

import ast
import builtins
from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from jobs.families.card_program import frame_reader
from jobs.families.protocol import Plan
from jobs.families.registry import MODULES, read_base, resolve
from jobs.video.decode import decode_sample
from orchestrator.domain.recipe_data import Data
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.vision_tokens import spreads_frames
from orchestrator.settings import ROOT
from tests.fakes.bases import ENCODERS, RETRIEVERS, make_base
from tests.fakes.odd_videos import MATRICES, corners, cover_first, preview_first, set_edits, set_matrix, write_film
from tests.unit.jobs.families.tiny_llms import CONFIGS, make_tiny

SHIPPED = {"videomae": "videomae-tiny", "vision-encoder-decoder": "captioner-tiny"}


FILMS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "plain": ("a.mp4", write_film),
    "one frame": ("a.mp4", lambda p: write_film(p, 1)),
    "edit list": ("a.mp4", lambda p: set_edits(write_film(p), [(1.0, 0.5)])),
    "cover first": ("a.mp4", lambda p: write_film(p, before=cover_first)),
    "preview first": ("a.mp4", lambda p: write_film(p, before=preview_first)),
    "milliseconds": ("a.mkv", write_film),
    "raw stream": ("a.h264", lambda p: write_film(p, file_format="h264")),
    "H.264 in AVI": ("a.avi", write_film),
    "variable rate": ("a.mkv", lambda p: write_film(p, 40, seconds=[i * i / 100 for i in range(40)])),
    "wide pixels": ("a.mp4", lambda p: write_film(p, 6, pixel_aspect=Fraction(4, 3))),
} | {
    kind: ("a.mp4", lambda p, kind=kind: set_matrix(write_film(p, 6, draw=lambda _: corners()), MATRICES[kind]))
    for kind in MATRICES
}


@pytest.mark.parametrize("kind", sorted(FILMS))
def test_the_same_frames_as_in_training(kind: str, tmp_path: Path) -> None:
    name, make = FILMS[kind]
    path = make(tmp_path / name)
    names: dict[str, Any] = {"av": av, "np": np, "Image": Image, "Disposition": Disposition, "Sequence": Sequence}
    names["bisect_right"] = bisect_right
    exec(frame_reader(), names)
    for fps in (None, 2.0, 12.5, 200.0):
        wanted = decode_sample(path, 8, fps=fps).frames
        assert np.array_equal(np.stack(names["read_frames"](str(path), 8, fps)), wanted), fps


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
    for fps in (None,) if spreads_frames(name, Data()) else (12.5, None):
        for bits in (4, 16):
            recipe = parse_recipe({"data": {"fps": fps}, "qlora": {"bits": bits}})
            plan = Plan(base, recipe, task, ("a", "b"), ("it hops",))
            _, program = resolve(base).program(plan, '"base"')
            if "AutoProcessor.from_pretrained(here)" not in program:
                assert f"sampled = read_frames(path, count, {fps})" in program
            assert ("load_in_4bit=True" in program) is (bits == 4)
            _check_names(ast.parse(program))
            _check_device(program)


def _check_device(program: str) -> None:
    """The base is loaded to the GPU where there is one, and everything that it reads is moved there."""
    assert 'device = "cuda" if torch.cuda.is_available() else "cpu"' in program
    assert program.count('device_map={"": device}') == 1
    assert ".to(device" in program
    tokens, moved = program.count('return_tensors="pt"'), program.count(".to(device")
    assert moved >= tokens, "what a processor or tokenizer makes is not moved"
    assert "compute_dtype=torch.float32" not in program


def _check_names(tree: ast.Module) -> None:
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] in {
                "pathlib",
                "peft",
                "torch",
                "transformers",
                "PIL",
                "av",
                "bisect",
                "collections",
            }
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {alias.asname or alias.name for alias in node.names}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    defined = {node.id for node in nodes if isinstance(node.ctx, ast.Store)} | imported
    defined |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    defined |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    used = {node.id for node in nodes if isinstance(node.ctx, ast.Load)}
    assert used - defined - set(dir(builtins)) - {"__file__"} == set()
    assert imported <= used, "an import that nothing uses"
