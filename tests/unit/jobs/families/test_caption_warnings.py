"""Before a run, each family says which captions it takes otherwise than written, or refuses the one it cannot take."""

from pathlib import Path
from typing import Any

import pytest

from jobs.bases.pretrain_captioner import build, export
from jobs.bases.sentences import word_tokenizer
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.family import _LONGEST
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from tests.fakes.bases import make_base
from tests.unit.jobs.families.tiny_llms import make_tiny

FITS = ("short.mp4", "it hops")


def _plan(folder: Path, captions: tuple[str, ...] = (), **recipe: Any) -> Plan:
    return Plan(read_base(folder), parse_recipe(recipe), "captioning", (), captions)


@pytest.mark.parametrize("name", ["clip", "siglip", "xclip", "vision-text-dual-encoder"])
def test_a_retriever_says_how_many_it_cuts_off(name: str, tmp_path: Path) -> None:
    plan = _plan(make_base(name, tmp_path))
    family: Any = resolve(plan.base)
    assert family.caption_warnings(plan, [FITS]) == []
    longest = family.longest(plan.base)
    long = [("a.mp4", "on and on " * longest), FITS, ("b.mp4", "up and down " * longest)]
    assert family.caption_warnings(plan, long) == [
        f"2 captions are longer than the {longest} tokens this base reads, and their ends will be cut off; "
        "the first belongs to a.mp4."
    ]
    assert family.caption_warnings(plan, long[:2])[0].startswith("1 caption is longer than")


def test_the_captioner_names_the_clip_and_what_it_cannot_say(tmp_path: Path) -> None:
    export(build(), word_tokenizer(), tmp_path, {})
    family = resolve(read_base(tmp_path))
    plan = _plan(tmp_path, ("it hops",))
    assert family.caption_warnings(plan, [FITS]) == []
    with pytest.raises(Invalid, match=r"The caption of long\.mp4, “on and on .*more words than this base can say"):
        family.caption_warnings(plan, [FITS, ("long.mp4", "on and on " * 40)])
    # Words of held-out clips find no place: only what is learned from gives new ones.
    assert family.caption_warnings(plan, [FITS, ("held.mp4", "it zigzags")]) == [
        "1 word has no place in this base's tokenizer and cannot be said, such as “zigzags” of held.mp4."
    ]


def test_a_video_language_model_names_the_clip(tmp_path: Path) -> None:
    plan = _plan(make_tiny("qwen2_vl", tmp_path), data={"frames": 4, "size": 56})
    family = resolve(plan.base)
    assert family.caption_warnings(plan, [FITS]) == []
    with pytest.raises(Invalid, match=r"The caption of long\.mp4 takes 3\d\d\d tokens and 4 frames take") as refused:
        family.caption_warnings(plan, [FITS, ("long.mp4", "on and on " * 300)])
    assert refused.value.field == "data.frames"
    spoken = family.caption_warnings(plan, [FITS, ("wordy.mp4", "so " * _LONGEST)])
    assert len(spoken) == 1
    assert spoken[0].startswith(f"1 caption is longer than the {_LONGEST} tokens that are said")


def test_classes_need_no_remark(tmp_path: Path) -> None:
    plan = _plan(make_base("timesformer", tmp_path))
    assert resolve(plan.base).caption_warnings(plan, []) == []
