"""What the built-in captioner is trained on: paths and words of its own, none of them the demo's."""

import numpy as np

from jobs.bases.captioner_captions import VOCABULARY, describe, turns, word_tokenizer
from jobs.bases.motion import generate_clips
from jobs.video.synthetic import CAPTION_WORDS
from orchestrator.services.models.builtin import FOLDER


def test_without_roaming_clips_are_those_of_the_other_bases() -> None:
    scene, truth = generate_clips(np.random.default_rng(5), 16, 8)
    again, roaming = generate_clips(np.random.default_rng(5), 16, 8, roaming=0.5)
    stay = ~roaming.roams
    assert not truth.roams.any()
    assert 0 < roaming.roams.sum() < 16
    assert np.array_equal(scene.x[stay], again.x[stay])
    assert not np.array_equal(scene.x, again.x)


def test_a_roaming_shape_stays_in_the_picture_and_hardly_ever_circles() -> None:
    _, truth = generate_clips(np.random.default_rng(6), 4000, 8, roaming=1.0)
    x, y = truth.frames[..., 0], truth.frames[..., 1]
    assert min(x.min(), y.min()) >= 0.0
    assert max(x.max(), y.max()) <= 1.0
    far = np.hypot(x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True))
    circles = (far.std(1) < 0.15 * far.mean(1)) & (np.abs(truth.sums[:, 2]) > 0.5)
    assert circles.mean() < 0.002


def test_small_turns_are_not_counted() -> None:
    assert turns(np.array([0.2, 0.3, 0.4, 0.6])) == 0
    assert turns(np.array([0.2, 0.4, 0.3, 0.5, 0.1])) == 3
    assert turns(np.array([0.5, 0.48, 0.5, 0.48, 0.5])) == 0
    assert turns(np.array([0.1, 0.9] * 8)) == 5


def test_the_tokenizer_knows_every_caption_and_no_word_of_the_demo() -> None:
    tokenizer = word_tokenizer()
    _, truth = generate_clips(np.random.default_rng(7), 400, 8, roaming=0.7)
    captions = describe(truth, np.random.default_rng(0))
    assert any(" roams " in sentence for sentence in captions)
    assert not any(tokenizer.unk_token_id in tokenizer(sentence).input_ids for sentence in captions)
    known = tokenizer.get_vocab()
    assert len(known) == VOCABULARY
    assert not {f"▁{word}" for word in (*CAPTION_WORDS.values(), "Look")} & set(known)


def test_the_built_in_tokenizer_is_the_one_of_the_script() -> None:
    shipped = type(word_tokenizer()).from_pretrained(FOLDER / "captioner-tiny")
    assert shipped.get_vocab() == word_tokenizer().get_vocab()
