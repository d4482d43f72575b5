"""The checks of the dataset doctor: each returns a finding with the clips concerned and the actions that help."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.curation.conversions import CONVERSIONS, Conversion
from orchestrator.services.datasets.curation.examined_clips import ExaminedClip
from orchestrator.services.datasets.curation.near_duplicates import near_pairs
from orchestrator.services.datasets.media.previews import clips_without_preview
from orchestrator.services.datasets.text_repair import has_encoding_error, repair_encoding

MAX_IMBALANCE = 3
"""How many times as many clips the largest class may have as the smallest."""
MIN_FRAMES, MAX_CAPTION_WORDS = 8, 100
_MAX_DURATION_DIFFERENCE = 0.15
"""Near-duplicates differ in duration by at most this share."""
ACTION_LABELS = {
    "quarantine": "Leave out",
    "train": "Keep in train only",
    "delete": "Delete",
    "split": "Hold out 20 %",
    "even": "Balance classes",
    "single": "Keep one of each",
    "mend": "Repair the encoding",
    "transcode": "Convert to H.264",
    "merge": "Merge them",
    **{conversion.value: spec.title for conversion, spec in CONVERSIONS.items()},
}
"""The actions that findings offer, with the text of their buttons."""


Severity = Literal["error", "warning", "info"]
FindingKind = Literal[
    "copies",
    "damaged",
    "leak",
    "letters",
    "lone",
    "long-captions",
    "one-sided",
    "other-kind",
    "overlap",
    "same-captions",
    "short",
    "uneven",
    "unplayed",
    "unsaid",
    "variants",
]
"""The names of findings in REST."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of a dataset.

    Attributes:
        kind: its name in REST, such as "leak".
        severity: error, warning or info.
        clip_ids: the clips that an action changes.
        actions: (key, button text) of the actions it offers.
        related: clips to show with them, such as the original of a copy.
    """

    kind: FindingKind
    severity: Severity
    title: str
    detail: str
    clip_ids: list[int] = field(default_factory=list)
    actions: list[tuple[str, str]] = field(default_factory=list)
    related: list[int] = field(default_factory=list)


def damaged(bad: list[ExaminedClip]) -> Finding | None:
    """Files that cannot be used."""
    if not bad:
        return None
    title = "1 file is left out" if len(bad) == 1 else f"{len(bad):,} files are left out"
    return Finding("damaged", "error", title, bad[0].problem, _ids(bad), _offer("delete"))


def unannotated(clips: list[ExaminedClip], annotation: str, conversions: Iterable[Conversion] = ()) -> Finding | None:
    """Clips without a label or caption; they are used as soon as one is written, or made of the folder's name."""
    if not clips:
        return None
    title = f"1 clip has no {annotation}" if len(clips) == 1 else f"{len(clips):,} clips have no {annotation}"
    detail = f"{clips[0].problem} Show them, and write it under each; then they are used."
    return Finding("unsaid", "warning", title, detail, _ids(clips), _offer(*conversions))


def other_annotation(clips: list[ExaminedClip], conversions: Iterable[Conversion]) -> Finding | None:
    """Clips with annotations that the task does not take; conversions that would make them usable are offered."""
    if not clips:
        return None
    title = "1 clip has" if len(clips) == 1 else f"{len(clips):,} clips have"
    detail = f"{clips[0].problem} Convert them, or change them one by one; nothing else is read in their place."
    return Finding("other-kind", "warning", f"{title} other annotations", detail, _ids(clips), _offer(*conversions))


def overlapping_spans(usable: list[ExaminedClip]) -> Finding | None:
    """Spans of one film that overlap and have different labels."""
    by_film: dict[str, list[tuple[float, float, ExaminedClip]]] = defaultdict(list)
    for clip in usable:
        if clip.span:
            by_film[clip.content_hash or clip.path].append((clip.span.start_s, clip.span.end_s, clip))
    overlapping: dict[int, ExaminedClip] = {}
    example = ""
    for spans in by_film.values():
        ordered = sorted(spans, key=lambda span: span[:2])
        for i, (_, end_s, one) in enumerate(ordered):
            for start_s, _, two in ordered[i + 1 :]:
                if start_s >= end_s:
                    break
                if one.annotated.labels != two.annotated.labels:
                    overlapping |= {one.id or 0: one, two.id or 0: two}
                    labels = f"{_shown(one.label)} ({one.span}) and {_shown(two.label)} ({two.span})"
                    example = example or f"{_short_name(one)}: {labels}."
    if not overlapping:
        return None
    title = f"{len(overlapping):,} spans overlap and have different labels"
    detail = f"{example} The same pictures then stand for both classes."
    return Finding("overlap", "warning", title, detail, _ids(overlapping.values()), _offer("quarantine"))


def near_duplicates(usable: list[ExaminedClip]) -> tuple[Finding | None, Finding | None]:
    """Near-duplicates across train and validation (leaks), and within one split (copies)."""
    by_id = {clip.id or 0: clip for clip in usable}
    leaks: dict[int, ExaminedClip] = {}
    copies: dict[int, ExaminedClip] = {}
    example = ""
    leaked_pairs, originals = set[int](), set[int]()
    for a, b, _ in near_pairs([(clip.id or 0, clip.perceptual_hash) for clip in usable]):
        one, two = by_id[a], by_id[b]
        longer = max(one.duration_s, two.duration_s)
        if abs(one.duration_s - two.duration_s) > _MAX_DURATION_DIFFERENCE * longer:
            continue
        # In a dataset with validation clips all others are for training (jobs/trainer/split.py).
        if (one.split is Split.VALIDATION) != (two.split is Split.VALIDATION):
            validation = one if one.split is Split.VALIDATION else two
            leaks[validation.id or 0] = validation
            leaked_pairs |= {a, b}
        elif not (one.span and two.span and one.content_hash == two.content_hash):  # parts of a film look alike
            example = example or f"{_short_name(two)} looks like {_short_name(one)}."
            copies[b] = two
            originals.add(a)
    leak = None
    if leaks:
        title = (
            "1 clip is in train and validation"
            if len(leaks) == 1
            else f"{len(leaks):,} clips are in train and validation"
        )
        detail = "The same video is in both splits, so that the score would be too good."
        leak = Finding(
            "leak", "error", title, detail, _ids(leaks.values()), _offer("train", "quarantine"), sorted(leaked_pairs)
        )
    copy = None
    if copies:
        title = "1 clip is nearly a copy" if len(copies) == 1 else f"{len(copies):,} clips are nearly copies"
        copy = Finding(
            "copies", "warning", title, example, _ids(copies.values()), _offer("quarantine"), sorted(originals)
        )
    return leak, copy


def too_few_frames(usable: list[ExaminedClip]) -> Finding | None:
    """Clips with fewer than `MIN_FRAMES` frames."""
    short = [clip for clip in usable if 0 < clip.frames < MIN_FRAMES]
    if not short:
        return None
    title = _clips_are(len(short), f"under {MIN_FRAMES} frames")
    return Finding(
        "short",
        "warning",
        title,
        "A model that samples more frames gets some of them twice.",
        _ids(short),
        _offer("quarantine"),
    )


def single_split(usable: list[ExaminedClip]) -> Finding | None:
    """All clips are in the same split."""
    splits = {clip.split for clip in usable}
    if splits == {Split.TRAIN}:
        detail = "All clips are marked for training, so that there is nothing to evaluate on."
        return Finding("one-sided", "error", "There is no validation clip", detail, [], _offer("split"))
    if splits == {Split.VALIDATION}:
        detail = "All clips are marked for validation, so that there is nothing to train on."
        return Finding("one-sided", "error", "There is no clip to train on", detail, [], _offer("split"))
    return None


def needs_preview_copies(usable: list[ExaminedClip], converted: frozenset[str]) -> Finding | None:
    """Clips in formats that browsers do not play, without a converted copy."""
    unplayable = clips_without_preview(usable, converted)
    if not unplayable:
        return None
    codecs = ", ".join(name for name, _ in Counter(clip.codec for clip in unplayable).most_common(3))
    title = "1 clip needs a copy to play" if len(unplayable) == 1 else f"{len(unplayable):,} clips need copies to play"
    detail = (
        f"Browsers do not play them as they are ({codecs}). Training reads them all the same; a copy is made when a "
        "clip is first opened, or of all of them now."
    )
    return Finding("unplayed", "info", title, detail, _ids(unplayable), _offer("transcode"))


def single_clip_classes(usable: list[ExaminedClip]) -> Finding | None:
    """Classes with a single clip."""
    counts = _label_counts(usable)
    classes = sorted(label for label, count in counts.items() if count == 1)
    if not classes:
        return None
    single = [clip for clip in usable if any(counts[label] == 1 for label in _labels(clip))]
    title = "1 class has one clip" if len(classes) == 1 else f"{len(classes):,} classes have one clip each"
    names = ", ".join(map(_shown, classes[:8])) + (", …" if len(classes) > 8 else "")
    detail = f"They are trained on, but there is none for validation: {names}. Add more, or leave them out."
    return Finding("lone", "warning", title, detail, _ids(single), _offer("quarantine"))


def class_imbalance(usable: list[ExaminedClip]) -> Finding | None:
    """The largest class has more than `MAX_IMBALANCE` times the clips of the smallest."""
    counts = [(label, count) for label, count in _label_counts(usable).most_common() if count > 1]
    if not counts:
        return None
    (_, most), (label, least) = counts[0], counts[-1]
    if least * MAX_IMBALANCE >= most:
        return None
    remaining, surplus = Counter[str](), []
    for clip in sorted(usable, key=_random_key):
        if all(remaining[label] >= MAX_IMBALANCE * least for label in _labels(clip)):
            surplus.append(clip)
        else:
            remaining.update(_labels(clip))
    detail = f"Largest {most:,} clips, smallest {least:,} ({_shown(label)}). Add clips of the small ones, or leave out "
    detail += (
        f"{len(surplus):,} of the large ones, so that none has more than {MAX_IMBALANCE} times the clips of another."
    )
    return Finding("uneven", "warning", "Classes are uneven", detail, _ids(surplus), _offer("even"))


def _labels(clip: ExaminedClip) -> tuple[str, ...]:
    return clip.annotated.labels or ("",)


def _label_counts(clips: Sequence[ExaminedClip]) -> Counter[str]:
    """The clips of each class; a clip with several labels counts for each."""
    return Counter(label for clip in clips for label in _labels(clip))


def _random_key(clip: ExaminedClip) -> bytes:
    """A pseudo-random sort key that is always the same for a clip."""
    return hashlib.sha256(f"{clip.content_hash}|{clip.id}".encode()).digest()


def long_captions(usable: list[ExaminedClip]) -> Finding | None:
    """Captions with more than `MAX_CAPTION_WORDS` words."""
    long = [clip for clip in usable if any(len(text.split()) > MAX_CAPTION_WORDS for text in clip.annotated.texts)]
    if not long:
        return None
    title = "1 caption is too long" if len(long) == 1 else f"{len(long):,} captions are too long"
    detail = f"More than {MAX_CAPTION_WORDS} words: most models truncate them."
    return Finding("long-captions", "warning", title, detail, _ids(long), _offer("quarantine"))


def repeated_captions(usable: list[ExaminedClip]) -> Finding | None:
    """Clips that share a caption."""
    texts_of = {clip.id or 0: set(clip.annotated.captions) for clip in usable}
    counts = Counter(text for texts in texts_of.values() for text in texts)
    repeated = [clip for clip in usable if any(counts[text] > 1 for text in texts_of[clip.id or 0])]
    if not repeated:
        return None
    title = f"{len(repeated):,} clips share a caption"
    caption = counts.most_common(1)[0][0]
    detail = f"“{_shown(caption)}” is the caption of {counts[caption]:,} clips."
    seen: set[str] = set()
    duplicates = []
    for clip in repeated:
        shared = {text for text in texts_of[clip.id or 0] if counts[text] > 1}
        duplicates += [clip] if shared <= seen else []
        seen |= shared
    return Finding("same-captions", "info", title, detail, _ids(duplicates), _offer("single"))


def encoding_errors(usable: list[ExaminedClip]) -> Finding | None:
    """Text that was decoded with a wrong encoding, here or before the upload."""
    texts_of = {clip.id or 0: clip.annotated.all_texts for clip in usable}
    broken = {clip_id: [text for text in texts if has_encoding_error(text)] for clip_id, texts in texts_of.items()}
    first_broken = {clip_id: texts[0] for clip_id, texts in broken.items() if texts}
    if not first_broken:
        return None
    title = (
        "1 clip has broken characters"
        if len(first_broken) == 1
        else f"{len(first_broken):,} clips have broken characters"
    )
    repairable = next((text for text in first_broken.values() if repair_encoding(text) != text), "")
    if repairable:
        detail = f"“{_shown(repairable)}” was most likely “{_shown(repair_encoding(repairable))}”."
        return Finding("letters", "warning", title, detail, list(first_broken), _offer("mend", "quarantine"))
    detail = (
        f"“{_shown(next(iter(first_broken.values())))}” has characters that could not be decoded. Correct it, or save "
    )
    detail += "the file that it comes from as UTF-8 and add it again."
    return Finding("letters", "warning", title, detail, list(first_broken), _offer("quarantine"))


def _shown(text: str) -> str:
    """The text, shortened for a sentence."""
    return text if len(text) <= 80 else text[:79] + "…"


def _clips_are(count: int, what: str) -> str:
    return f"1 clip is {what}" if count == 1 else f"{count:,} clips are {what}"


def _short_name(clip: ExaminedClip) -> str:
    return clip.name.rpartition("/")[2]


def _ids(clips: Iterable[ExaminedClip]) -> list[int]:
    return [clip.id for clip in clips if clip.id is not None]


def _offer(*actions: str) -> list[tuple[str, str]]:
    return [(action, ACTION_LABELS[action]) for action in actions]
