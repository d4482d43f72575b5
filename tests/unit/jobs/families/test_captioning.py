"""The measures of sentences, which clips are described when, and how new words find a place."""

from typing import Any

import pytest

from jobs.bases.sentences import word_tokenizer
from jobs.families.captioner.words import _with, new_words
from jobs.families.captioning import SAMPLED_CLIPS, caption_metrics, evaluate_captions


def test_measures() -> None:
    same = caption_metrics(["a red ring hops", "so it is"], [["a red ring hops"], ["it is so", "so it is"]])
    assert same == {"eval_exact": 1.0, "eval_rouge_l": 1.0, "eval_bleu": pytest.approx(1.0)}
    other = caption_metrics(["a red ring hops", "a box"], [["a blue ring hops"], ["a box"]])
    assert other["eval_exact"] == 0.5
    assert other["eval_rouge_l"] == pytest.approx(0.875)
    assert 0 < other["eval_bleu"] < 1
    assert (
        caption_metrics(["\u0444\u0438\u043b\u044c\u043c"], [["\u0444\u0438\u043b\u044c\u043c"]])["eval_rouge_l"] == 1.0
    )
    assert caption_metrics([], []) == {}


def test_a_sample_during_the_run_and_all_at_the_end() -> None:
    held: list[dict[str, Any]] = [{"clip_id": i, "captions": [f"clip {i}"]} for i in range(100)]
    sizes: list[int] = []

    def say(items: Any) -> list[str]:
        sizes.append(len(items))
        return [f" clip  {item['clip_id']}" for item in items]

    sampled = evaluate_captions(held, False, 10, say)
    assert len(sampled.clips) == SAMPLED_CLIPS
    assert (sampled.clips[-1].clip_id or 0) > 90
    every = evaluate_captions(held, True, 16, say)
    assert [clip.clip_id for clip in every.clips] == list(range(100))
    assert every.values["eval_exact"] == 1.0
    assert max(sizes) == 16


def test_new_words_take_spare_places() -> None:
    base = word_tokenizer()
    captions = ("Look! The amber disc hops.", "Look! The amber hoop hops, up.")
    fresh = new_words(base, captions)
    assert list(fresh)[:4] == ["▁Look", "▁The", "▁amber", "▁hops"]
    assert min(fresh.values()) > base.get_vocab()["▁upper"]
    tokenizer = _with(base, fresh)
    assert len(tokenizer) == len(base)
    for caption in captions:
        ids = tokenizer(caption).input_ids
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == caption
    assert new_words(tokenizer, captions) == {}
