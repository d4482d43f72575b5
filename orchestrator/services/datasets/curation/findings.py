"""What can be wrong with the clips of a dataset: one check each, with the clips it is about and what helps."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.domain.datasets import Clip, Split
from orchestrator.services.datasets.curation.near_duplicates import near_pairs
from orchestrator.services.datasets.media.previews import without_copy
from orchestrator.services.datasets.text_repair import is_broken, mended

UNEVEN, SHORT_FRAMES, LONG_WORDS = 3, 8, 100
_SAME_LENGTH = 0.15
WORDS = {
    "quarantine": "Leave out",
    "train": "Keep in train only",
    "delete": "Delete",
    "split": "Hold out 20 %",
    "even": "Leave out the surplus",
    "single": "Keep one of each",
    "mend": "Put the letters right",
    "transcode": "Convert to H.264",
}
"""What one press can do, and how a button says it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: its short name. severity: error, warning or info.
        clip_ids: the clips that an action changes.
        actions: (key, words) of what one press can do.
        beside: others to look at with them, such as what a copy is a copy of.
    """

    kind: str
    severity: str
    title: str
    detail: str
    clip_ids: list[int] = field(default_factory=list)
    actions: list[tuple[str, str]] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)


def damaged(bad: list[Clip]) -> Finding | None:
    if not bad:
        return None
    title = "1 file is left out" if len(bad) == 1 else f"{len(bad):,} files are left out"
    return Finding("damaged", "error", title, bad[0].problem, _ids(bad), _offer("delete"))


def unsaid(waits: list[Clip], said: str) -> Finding | None:
    """Whole clips that say nothing to learn from; they come in as soon as somebody writes it."""
    if not waits:
        return None
    title = f"1 clip has no {said}" if len(waits) == 1 else f"{len(waits):,} clips have no {said}"
    detail = f"{waits[0].problem} Show them, and write it under each: then they are learnt from."
    return Finding("unsaid", "warning", title, detail, _ids(waits))


def alike(good: list[Clip]) -> tuple[Finding | None, Finding | None]:
    """Near-duplicates across train and validation, and within one side."""
    by_id = {clip.id or 0: clip for clip in good}
    leaks: dict[int, Clip] = {}
    copies: dict[int, Clip] = {}
    first = ""
    both, first_of = set[int](), set[int]()
    for a, b, _ in near_pairs([(clip.id or 0, clip.perceptual_hash) for clip in good]):
        one, two = by_id[a], by_id[b]
        longest = max(one.duration_s, two.duration_s)
        if abs(one.duration_s - two.duration_s) > _SAME_LENGTH * longest:
            continue
        # Where clips are marked for validation, all others are learnt from: jobs/trainer/split.py.
        if (one.split is Split.VALIDATION) != (two.split is Split.VALIDATION):
            held = one if one.split is Split.VALIDATION else two
            leaks[held.id or 0] = held
            both |= {a, b}
        else:
            first = first or f"{_short_name(two)} looks like {_short_name(one)}."
            copies[b] = two
            first_of.add(a)
    leak = None
    if leaks:
        title = (
            "1 clip is in train and validation"
            if len(leaks) == 1
            else f"{len(leaks):,} clips are in train and validation"
        )
        detail = "The same pictures on both sides: the score would flatter."
        leak = Finding(
            "leak", "error", title, detail, _ids(leaks.values()), _offer("train", "quarantine"), sorted(both)
        )
    copy = None
    if copies:
        title = "1 clip is nearly a copy" if len(copies) == 1 else f"{len(copies):,} clips are nearly copies"
        copy = Finding("copies", "warning", title, first, _ids(copies.values()), _offer("quarantine"), sorted(first_of))
    return leak, copy


def short(good: list[Clip]) -> Finding | None:
    short = [clip for clip in good if 0 < clip.frames < SHORT_FRAMES]
    if not short:
        return None
    title = _clips_are(len(short), f"under {SHORT_FRAMES} frames")
    return Finding(
        "short", "warning", title, "A model that samples more would see some twice.", _ids(short), _offer("quarantine")
    )


def one_sided(good: list[Clip]) -> Finding | None:
    """All are marked for the same side."""
    sides = {clip.split for clip in good}
    if sides == {Split.TRAIN}:
        detail = "All clips are marked for training, so that nothing would be left to measure on."
        return Finding("one-sided", "error", "There is no validation clip", detail, [], _offer("split"))
    if sides == {Split.VALIDATION}:
        detail = "All clips are marked for validation, so that nothing would be left to learn from."
        return Finding("one-sided", "error", "There is no clip to learn from", detail, [], _offer("split"))
    return None


def unplayed(good: list[Clip], converted: frozenset[str]) -> Finding | None:
    """In a format that browsers refuse, and not converted yet."""
    odd = without_copy(good, converted)
    if not odd:
        return None
    codecs = ", ".join(name for name, _ in Counter(clip.codec for clip in odd).most_common(3))
    title = "1 clip needs a copy to play" if len(odd) == 1 else f"{len(odd):,} clips need copies to play"
    detail = (
        f"Browsers do not play them as they are ({codecs}). Training reads them all the same; a copy is made when a "
        "clip is first looked at, or of all of them now."
    )
    return Finding("unplayed", "info", title, detail, _ids(odd), _offer("transcode"))


def lone(good: list[Clip]) -> Finding | None:
    """Classes of one clip."""
    counts = Counter(clip.label for clip in good)
    alone = [clip for clip in good if counts[clip.label] == 1]
    if not alone:
        return None
    title = "1 class has one clip" if len(alone) == 1 else f"{len(alone):,} classes have one clip each"
    names = ", ".join(sorted(_shown(clip.label) for clip in alone)[:8]) + (", …" if len(alone) > 8 else "")
    detail = f"Learnt from, with none to hold out and measure on: {names}. Add more, or leave out what there is."
    return Finding("lone", "warning", title, detail, _ids(alone), _offer("quarantine"))


def uneven(good: list[Clip]) -> Finding | None:
    counts = [(label, count) for label, count in Counter(clip.label for clip in good).most_common() if count > 1]
    if not counts:
        return None
    (_, most), (label, least) = counts[0], counts[-1]
    if least * UNEVEN >= most:
        return None
    kept, surplus = Counter[str](), []
    for clip in sorted(good, key=_lot):
        kept[clip.label] += 1
        if kept[clip.label] > UNEVEN * least:
            surplus.append(clip)
    detail = f"Largest {most:,} clips, smallest {least:,} ({_shown(label)}). Add clips of the small ones, or leave out "
    detail += f"{len(surplus):,} of the large ones, so that none has more than {UNEVEN} times the clips of another."
    return Finding("uneven", "warning", "Classes are uneven", detail, _ids(surplus), _offer("even"))


def _lot(clip: Clip) -> bytes:
    """A draw that stays with the clip."""
    return hashlib.sha256(f"{clip.content_hash}|{clip.id}".encode()).digest()


def long_captions(good: list[Clip]) -> Finding | None:
    long = [clip for clip in good if len(clip.caption.split()) > LONG_WORDS]
    if not long:
        return None
    title = "1 caption is overlong" if len(long) == 1 else f"{len(long):,} captions are overlong"
    detail = f"More than {LONG_WORDS} words: most models cut them off."
    return Finding("long-captions", "warning", title, detail, _ids(long), _offer("quarantine"))


def repeated(good: list[Clip]) -> Finding | None:
    counts = Counter(clip.caption for clip in good)
    twice = [clip for clip in good if counts[clip.caption] > 1]
    if not twice:
        return None
    title = f"{len(twice):,} clips share a caption"
    caption = counts.most_common(1)[0][0]
    detail = f"“{_shown(caption)}” stands under {counts[caption]:,} clips."
    seen: set[str] = set()
    again = [clip for clip in twice if clip.caption in seen or seen.add(clip.caption)]
    return Finding("same-captions", "info", title, detail, _ids(again), _offer("single"))


def broken_letters(good: list[Clip]) -> Finding | None:
    """Letters that nobody meant: a file was read in an encoding that it did not have, here or before."""
    said = {clip.id or 0: (clip.label, clip.caption, clip.prompt) for clip in good}
    broken = {clip_id: [text for text in texts if is_broken(text)] for clip_id, texts in said.items()}
    found = {clip_id: texts[0] for clip_id, texts in broken.items() if texts}
    if not found:
        return None
    title = "1 clip has broken letters" if len(found) == 1 else f"{len(found):,} clips have broken letters"
    meant = next((text for text in found.values() if mended(text) != text), "")
    if meant:
        detail = f"“{_shown(meant)}” was most likely “{_shown(mended(meant))}”."
        return Finding("letters", "warning", title, detail, list(found), _offer("mend", "quarantine"))
    detail = f"“{_shown(next(iter(found.values())))}” holds letters that could not be read. Correct it, or save the "
    detail += "file that says it as UTF-8 and add it again."
    return Finding("letters", "warning", title, detail, list(found), _offer("quarantine"))


def _shown(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def _clips_are(count: int, what: str) -> str:
    return f"1 clip is {what}" if count == 1 else f"{count:,} clips are {what}"


def _short_name(clip: Clip) -> str:
    return clip.name.rpartition("/")[2]


def _ids(clips: Iterable[Clip]) -> list[int]:
    return [clip.id for clip in clips if clip.id is not None]


def _offer(*actions: str) -> list[tuple[str, str]]:
    return [(action, WORDS[action]) for action in actions]
