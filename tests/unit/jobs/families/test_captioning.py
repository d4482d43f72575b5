"""Caption metrics, which clips an evaluation uses, and how new words get a token."""

from typing import Any

import pytest

from jobs.bases.captioner_captions import word_tokenizer
from jobs.families.captioner.vocabulary import _with_words, new_words
from jobs.families.captioning import SAMPLED_CLIPS, caption_metrics, evaluate_answers


def test_metrics() -> None:
    same = caption_metrics(["a red ring hops", "so it is"], [["a red ring hops"], ["it is so", "so it is"]])
    assert same == {
        "eval_exact": 1.0,
        "eval_exact_normalized": 1.0,
        "eval_cider": pytest.approx((10 + 10 * (3 + 1.5) / 4 / 2) / 2),
        "eval_meteor": pytest.approx(1 - 0.5 * (1 / 4**3 + 1 / 3**3) / 2),
        "eval_rouge_l": 1.0,
        "eval_bleu": pytest.approx(1.0),
    }
    changed = caption_metrics(["A man is running."], [["a man is running"]])
    assert (changed["eval_exact"], changed["eval_exact_normalized"]) == (0.0, 1.0)
    other = caption_metrics(["a red ring hops", "a box"], [["a blue ring hops"], ["a box"]])
    assert other["eval_exact"] == 0.5
    assert other["eval_rouge_l"] == pytest.approx(0.875)
    assert 0 < other["eval_bleu"] < 1
    assert (
        caption_metrics(["\u0444\u0438\u043b\u044c\u043c"], [["\u0444\u0438\u043b\u044c\u043c"]])["eval_rouge_l"] == 1.0
    )
    assert caption_metrics([], []) == {}


def test_some_clips_during_the_run_and_all_at_the_end() -> None:
    validation: list[dict[str, Any]] = [{"clip_id": i, "captions": [f"clip {i}"]} for i in range(100)]
    sizes: list[int] = []

    def generate(items: Any, asked: Any) -> list[str]:
        assert all(question.is_caption for question in asked)
        sizes.append(len(items))
        return [f" clip  {item['clip_id']}" for item in items]

    sampled = evaluate_answers(validation, False, 10, generate)
    assert len(sampled.clips) == SAMPLED_CLIPS
    assert (sampled.clips[-1].clip_id or 0) > 90
    every = evaluate_answers(validation, True, 16, generate)
    assert [clip.clip_id for clip in every.clips] == list(range(100))
    assert every.values["eval_exact"] == 1.0
    assert max(sizes) == 16


def test_new_words_replace_unused_tokens() -> None:
    base = word_tokenizer()
    captions = ("Look! The amber disc hops.", "Look! The amber hoop hops, up.")
    ids_of_new_words = new_words(base, captions)
    assert list(ids_of_new_words)[:4] == ["▁Look", "▁The", "▁amber", "▁hops"]
    assert min(ids_of_new_words.values()) > base.get_vocab()["▁upper"]
    tokenizer = _with_words(base, ids_of_new_words)
    assert len(tokenizer) == len(base)
    for caption in captions:
        ids = tokenizer(caption).input_ids
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == caption
    assert new_words(tokenizer, captions) == {}
