"""What a video language model answers to somebody's own question: the same sentence whole and piece by piece."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jobs.families.protocol import Item, Plan, Question
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.chat import QUESTION, ChatCollator
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.tiny_llms import make_tiny


@pytest.mark.parametrize("name", ["qwen2_vl", "smolvlm"])
def test_a_question_is_answered_piece_by_piece(name: str, tmp_path: Path) -> None:
    base = read_base(make_tiny(name, tmp_path))
    family = resolve(base)
    size = {} if family.architecture.fixed else {"size": 56}  # type: ignore[attr-defined]
    plan = Plan(base, parse_recipe({"data": {"frames": 4} | size}), "captioning", inference_only=True)
    model = family.load(plan).eval()
    edge = dict(family.sampling(base, plan.recipe).size)["width"]
    frames = np.random.default_rng(0).integers(0, 256, (4, edge, edge, 3), dtype=np.uint8)
    item: Item = {"frames": frames, "captions": [], "label": -1, "learn": False, "draw": (0, 0), "clip_id": 1}
    heard: list[str] = []
    with torch.no_grad():
        [whole] = family.predict(plan, model, [item], Question(max_new_tokens=6))
        [told] = family.predict(plan, model, [item], Question(max_new_tokens=6, on_token=heard.append))
        assert "".join(heard).strip() == told.text == whole.text
        # Marks in somebody's words would stand for a second clip.
        architecture, sampling = family.architecture, family.sampling(base, plan.recipe)  # type: ignore[attr-defined]
        talk = ChatCollator(
            plan, architecture, sampling, f"What is {ChatCollator(plan, architecture, sampling)._mark} {{clip}} this?"
        )
        assert talk.prompt().count("{clip}") == 1
        assert "What is this?" in talk.prompt()
        assert QUESTION in ChatCollator(plan, architecture, sampling, "{clip}").prompt()
        [asked] = family.predict(plan, model, [item], Question("What is {clip} this?", 3))
    assert asked.text is not None
