"""Before a run, each family warns of captions that it cannot learn as written, or refuses the one that does not fit."""

from pathlib import Path
from typing import Any

import pytest

from jobs.bases.captioner_captions import word_tokenizer
from jobs.bases.pretrain_captioner import build, export
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.chat import MAX_CAPTION_TOKENS
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from tests.fakes.bases import make_base
from tests.unit.jobs.families.tiny_llms import make_tiny

FITS = ("short.mp4", "it hops")


def _plan(folder: Path, captions: tuple[str, ...] = (), **recipe: Any) -> Plan:
    return Plan(read_base(folder), parse_recipe(recipe), "captioning", (), captions)


@pytest.mark.parametrize("name", ["clip", "siglip", "xclip", "vision-text-dual-encoder"])
def test_a_retriever_counts_the_captions_it_truncates(name: str, tmp_path: Path) -> None:
    plan = _plan(make_base(name, tmp_path))
    family: Any = resolve(plan.base)
    assert family.caption_warnings(plan, [FITS]) == []
    limit = family.max_text_tokens(plan.base)
    long = [("a.mp4", "on and on " * limit), FITS, ("b.mp4", "up and down " * limit)]
    assert family.caption_warnings(plan, long) == [
        f"2 captions are longer than the {limit} tokens this base reads, and their ends will be cut off; "
        "the first belongs to a.mp4."
    ]
    assert family.caption_warnings(plan, long[:2])[0].startswith("1 caption is longer than")


def test_the_captioner_names_the_clip_and_the_unknown_word(tmp_path: Path) -> None:
    export(build(), word_tokenizer(), tmp_path, {})
    family = resolve(read_base(tmp_path))
    plan = _plan(tmp_path, ("it hops",))
    assert family.caption_warnings(plan, [FITS]) == []
    with pytest.raises(Invalid, match=r"The caption of long\.mp4, “on and on .*more words than this base can generate"):
        family.caption_warnings(plan, [FITS, ("long.mp4", "on and on " * 40)])
    # Words of validation clips stay unknown: only training clips add words.
    assert family.caption_warnings(plan, [FITS, ("held.mp4", "it zigzags")]) == [
        "1 word has no token in this base's tokenizer and cannot be generated, such as “zigzags” of held.mp4."
    ]


def test_a_video_language_model_names_the_clip(tmp_path: Path) -> None:
    plan = _plan(make_tiny("qwen2_vl", tmp_path), data={"frames": 4, "size": 56})
    family = resolve(plan.base)
    assert family.caption_warnings(plan, [FITS]) == []
    with pytest.raises(Invalid, match=r"The caption of long\.mp4 takes 3\d\d\d tokens and 4 frames take") as refused:
        family.caption_warnings(plan, [FITS, ("long.mp4", "on and on " * 300)])
    assert refused.value.field == "data.frames"
    warnings = family.caption_warnings(plan, [FITS, ("wordy.mp4", "so " * MAX_CAPTION_TOKENS)])
    assert len(warnings) == 1
    assert warnings[0].startswith(f"1 caption is longer than the {MAX_CAPTION_TOKENS} tokens that are generated")


def test_a_classifier_warns_of_nothing(tmp_path: Path) -> None:
    plan = _plan(make_base("timesformer", tmp_path))
    assert resolve(plan.base).caption_warnings(plan, []) == []
