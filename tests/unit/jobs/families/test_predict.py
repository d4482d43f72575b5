"""A video language model answers a question with the same sentence at once and as a stream of tokens."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jobs.families.protocol import Item, Plan, Question
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.chat import ChatCollator
from orchestrator.domain.annotations import CAPTION_QUESTION
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.tiny_llms import edge_of, make_tiny


@pytest.mark.parametrize("name", ["qwen2_vl", "smolvlm"])
def test_a_streamed_answer_is_the_complete_answer(name: str, tmp_path: Path) -> None:
    base = read_base(make_tiny(name, tmp_path))
    family = resolve(base)
    size = {} if family.architecture.fixed_size else {"size": 56}  # type: ignore[attr-defined]
    plan = Plan(base, parse_recipe({"data": {"frames": 4} | size}), "captioning", inference_only=True)
    model = family.load(plan).eval()
    edge = edge_of(family.sampling(base, plan.recipe))
    frames = np.random.default_rng(0).integers(0, 256, (4, edge, edge, 3), dtype=np.uint8)
    item: Item = {"frames": frames, "captions": [], "label": -1, "training": False, "seed": (0, 0), "clip_id": 1}
    pieces: list[str] = []
    with torch.no_grad():
        [whole_answer] = family.predict(plan, model, [item], Question(max_new_tokens=6))
        [streamed] = family.predict(plan, model, [item], Question(max_new_tokens=6, on_token=pieces.append))
        assert "".join(pieces).strip() == streamed.text == whole_answer.text
        # Video tokens that a question spells stand for no second clip, and no word is lost.
        architecture, sampling = family.architecture, family.sampling(base, plan.recipe)  # type: ignore[attr-defined]
        usual = ChatCollator(plan, architecture, sampling)
        asked = ChatCollator(plan, architecture, sampling, Question(f"What is {usual._video_token} {{clip}} this?"))
        [ids], [usual_ids] = (collator.generation_inputs([item])["input_ids"] for collator in (asked, usual))
        assert (ids == asked.video_token_id()).sum() == (usual_ids == asked.video_token_id()).sum()
        assert f"What is {usual._video_token} {{clip}} this?" in asked.tokenizer.decode(ids)
        assert CAPTION_QUESTION in usual.tokenizer.decode(usual_ids)
        [other] = family.predict(plan, model, [item], Question("What is {clip} this?", 3))
    assert other.text is not None
