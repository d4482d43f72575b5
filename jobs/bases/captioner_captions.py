"""Captions of invented clips for the captioner, and the small word tokenizer that reads them."""

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from jobs.bases.motion import DIRECTIONS, NO_DIRECTION, GroundTruth
from jobs.video.shapes import COLOURS, SHAPES

VOCABULARY = 1024
"""Size of the captioner's vocabulary; the entries that no word uses yet are spare."""
SPARE = "<spare-{}>"
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
_STILL = 0.06
"""Paths up to this share of the frame count as no motion."""
_FRAME = (
    "a the clip shows that drifts wanders rests in from to small large up down left right upper middle lower centre"
)
_LATER = "roams narrow medium wide flat tall with no one two three four five turns sideways and upright"
"""Words that were added later come after the others, so that a base whose training is continued keeps its token ids."""
_SPREAD = (0.2, 0.4)
"""Ranges of a coordinate, as shares of the frame, that separate narrow, medium and wide."""
_COUNTS = ("no", "one", "two", "three", "four", "five")
_PUNCTUATION = (".", ",", "!", "?", ":", ";", "-", "'")


def describe(truth: GroundTruth, rng: np.random.Generator) -> list[str]:
    """One caption per clip: size, colour, shape, then how it drifts, wanders, roams or rests; in one of two wordings.

    Captions never mention changes of size or visibility, nor a motion of the demo dataset.
    """
    path, radius = truth.sums[:, 0], truth.frames[..., 2].mean(1)
    captions = []
    for row in range(len(truth.colour)):
        size = "small" if radius[row] < 0.15 else "large"
        colour, shape = list(COLOURS)[truth.colour[row]], SHAPES[truth.shape[row]]
        motion = _motion(truth, row, float(path[row]))
        captions.append(
            f"a {size} {colour} {shape} {motion}"
            if rng.random() < 0.5
            else f"the clip shows a {size} {colour} {shape} that {motion}"
        )
    return captions


def _motion(truth: GroundTruth, row: int, path: float) -> str:
    if truth.direction[row] != NO_DIRECTION:
        return f"drifts {DIRECTIONS[truth.direction[row]]}"
    if truth.roams[row]:
        return _roaming(truth.frames[row, :, 0], truth.frames[row, :, 1])
    first, last = _grid_cell(truth.frames[row, 0]), _grid_cell(truth.frames[row, -1])
    return f"rests in the {first}" if path < _STILL else f"wanders from the {first} to the {last}"


def _grid_cell(frame: np.ndarray) -> str:
    x, y = float(frame[0]), float(frame[1])
    return f"{_ROWS[min(2, int(y * 3))]} {_COLUMNS[min(2, int(x * 3))]}"


def _roaming(x: np.ndarray, y: np.ndarray) -> str:
    across = ("narrow", "medium", "wide")[int(np.digitize(np.ptp(x), _SPREAD))]
    along = ("flat", "medium", "tall")[int(np.digitize(np.ptp(y), _SPREAD))]
    return f"roams {across} and {along} with {_COUNTS[turns(x)]} turns sideways and {_COUNTS[turns(y)]} upright"


def turns(track: np.ndarray, least: float = 0.04) -> int:
    """How often a coordinate changes direction, five at most; a return by less than `least` does not count."""
    count, direction, extreme = 0, 0, float(track[0])
    for value in map(float, track[1:]):
        if (direction >= 0 and value > extreme) or (direction <= 0 and value < extreme):
            if abs(value - extreme) >= least:
                direction = direction or (1 if value > extreme else -1)
            extreme = value if direction else extreme
        elif direction and abs(value - extreme) >= least:
            count, direction, extreme = count + 1, -direction, value
    return min(count, len(_COUNTS) - 1)


def word_tokenizer() -> PreTrainedTokenizerFast:
    """Whole words; `▁` marks the blank before one, so that decoding restores a sentence exactly."""
    words = [*_FRAME.split(), *COLOURS, *SHAPES]
    known = [*SPECIAL, *dict.fromkeys(f"▁{word}" for word in words), *_PUNCTUATION]
    known += [f"▁{word}" for word in _LATER.split()]
    vocabulary = {word: index for index, word in enumerate(known)}
    for index in range(len(vocabulary), VOCABULARY):
        vocabulary[SPARE.format(index)] = index
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated")]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=64,
    )
