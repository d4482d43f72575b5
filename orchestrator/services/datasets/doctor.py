"""Looks a dataset over before somebody trains on it: what is wrong, how bad it is, what one press can do about it."""

import os
from collections import Counter
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Split, Task
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.letterbox import TASK_TRANSCODE
from orchestrator.domain.machines import PREP
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.editing import Change, assign_splits, delete_bad_clips, edit_clips
from orchestrator.services.datasets.previews import copies_of, without_copy
from orchestrator.services.datasets.resemblance import near_pairs
from orchestrator.services.datasets.versions import EditRow
from orchestrator.services.queue import enqueue, transcode_key

UNEVEN, SHORT_FRAMES, LONG_WORDS = 3, 8, 100
_SAME_LENGTH = 0.15
_SEEN: dict[tuple[object, ...], "Report"] = {}
"""Reports by the state they were made of: a page that is opened again does not examine thousands of clips again."""
_MOST_SEEN = 64
_WORDS = {
    "quarantine": "Leave out",
    "train": "Keep in train only",
    "delete": "Delete",
    "split": "Hold out 20 %",
    "transcode": "Convert to H.264",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: its short name. severity: error, warning or info.
        clip_ids: the clips that an action changes.
        actions: (key, words) of what one press can do.
    """

    kind: str
    severity: str
    title: str
    detail: str
    clip_ids: list[int] = field(default_factory=list)
    actions: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what is in order."""

    findings: list[Finding]
    passed: list[str]


def examine(session: Session, actor: Actor, dataset_id: int) -> Report:
    """Reads every clip's facts, once for each state of the dataset.

    Raises:
        NotFound: no such dataset, or somebody else's.
    """
    row = get_dataset(session, actor, dataset_id)
    converted = _converted(dataset_id)
    key = (dataset_id, row.version, row.updated_at, row.clip_count, row.bad_count, len(converted))
    if (known := _SEEN.get(key)) is None:
        known = _examine(session, dataset_id, row.task, converted)
        for old in list(_SEEN)[: max(0, len(_SEEN) - _MOST_SEEN)]:
            _SEEN.pop(old, None)
        _SEEN[key] = known
    return known


def _converted(dataset_id: int) -> frozenset[str]:
    """The names of the H.264 copies that were made, and of those that could not be."""
    try:
        return frozenset(name for name in os.listdir(copies_of(dataset_id)) if not name.endswith(".part"))
    except FileNotFoundError:
        return frozenset()


def _examine(session: Session, dataset_id: int, task: str, converted: frozenset[str]) -> Report:
    clips = list(session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(col(Clip.id))))
    good = [clip for clip in clips if clip.status is ClipStatus.OK]
    if not good:
        return Report([], [])
    leaks, copies = _alike(good)
    looked = [
        (_damaged([clip for clip in clips if clip.status is ClipStatus.BAD]), "Every file decodes"),
        (_short(good), "Every clip has frames enough"),
        (_one_sided(good), "Validation has clips of its own"),
    ]
    if any(clip.codec for clip in good):
        looked.append((_unplayed(good, converted), "Every clip plays in a browser"))
    if any(clip.perceptual_hash for clip in good):  # nothing is claimed of clips that were not compared
        looked += [(leaks, "No clip of train comes again in validation"), (copies, "No clip is there twice")]
    if task == Task.CLASSIFICATION:
        looked.append((_uneven(good), "Classes are even"))
    else:
        looked += [(_long(good), "No caption is overlong"), (_repeated(good), "Every caption is its own")]
    order = {"error": 0, "warning": 1, "info": 2}
    findings = sorted((found for found, _ in looked if found), key=lambda found: order[found.severity])
    return Report(findings, [passed for found, passed in looked if not found])


def treat(session: Session, actor: Actor, dataset_id: int, kind: str, action: str) -> EditRow | None:
    """Does what a finding offers; the edit, which can be undone, or None where the clips' facts stay.

    Raises:
        NotFound: it is not found any more. Conflict: it does not offer this.
    """
    finding = next((f for f in examine(session, actor, dataset_id).findings if f.kind == kind), None)
    if finding is None:
        raise NotFound("This is put right already.")
    if action not in dict(finding.actions):
        raise Conflict("That cannot be done about this finding.")
    if action == "delete":
        delete_bad_clips(session, actor, dataset_id, finding.clip_ids)
        return None
    if action == "transcode":
        after_commit(session, lambda: enqueue(TASK_TRANSCODE, transcode_key(dataset_id), PREP, dataset_id=dataset_id))
        return None
    if action == "split":
        return assign_splits(session, actor, dataset_id, 0.2)
    change = Change(split="train") if action == "train" else Change(status="quarantined")
    return edit_clips(
        session, actor, dataset_id, finding.clip_ids, change, f"{finding.title}: {_WORDS[action].lower()}"
    )


def _damaged(bad: list[Clip]) -> Finding | None:
    if not bad:
        return None
    title = "1 file is left out" if len(bad) == 1 else f"{len(bad):,} files are left out"
    return Finding("damaged", "error", title, bad[0].problem, _ids(bad), _offer("delete"))


def _alike(good: list[Clip]) -> tuple[Finding | None, Finding | None]:
    """Near-duplicates across train and validation, and within one side."""
    by_id = {clip.id or 0: clip for clip in good}
    leaks: dict[int, Clip] = {}
    copies: dict[int, Clip] = {}
    first = ""
    for a, b, _ in near_pairs([(clip.id or 0, clip.perceptual_hash) for clip in good]):
        one, two = by_id[a], by_id[b]
        longest = max(one.duration_s, two.duration_s)
        if abs(one.duration_s - two.duration_s) > _SAME_LENGTH * longest:
            continue
        if {one.split, two.split} == {Split.TRAIN, Split.VALIDATION}:
            held = one if one.split is Split.VALIDATION else two
            leaks[held.id or 0] = held
        else:
            first = first or f"{_short_name(two)} looks like {_short_name(one)}."
            copies[b] = two
    leak = None
    if leaks:
        title = (
            "1 clip is in train and validation"
            if len(leaks) == 1
            else f"{len(leaks):,} clips are in train and validation"
        )
        detail = "The same pictures on both sides: the score would flatter."
        leak = Finding("leak", "error", title, detail, _ids(leaks.values()), _offer("train", "quarantine"))
    copy = None
    if copies:
        title = "1 clip is nearly a copy" if len(copies) == 1 else f"{len(copies):,} clips are nearly copies"
        copy = Finding("copies", "warning", title, first, _ids(copies.values()), _offer("quarantine"))
    return leak, copy


def _short(good: list[Clip]) -> Finding | None:
    short = [clip for clip in good if 0 < clip.frames < SHORT_FRAMES]
    if not short:
        return None
    title = _clips_are(len(short), f"under {SHORT_FRAMES} frames")
    return Finding(
        "short", "warning", title, "A model that samples more would see some twice.", _ids(short), _offer("quarantine")
    )


def _one_sided(good: list[Clip]) -> Finding | None:
    """Some are marked for training, none for validation."""
    sides = Counter(clip.split for clip in good)
    if sides[Split.VALIDATION] or not sides[Split.TRAIN] or sides[Split.AUTO]:
        return None
    detail = "All clips are marked for training, so that nothing would be left to measure on."
    return Finding("one-sided", "error", "There is no validation clip", detail, [], _offer("split"))


def _unplayed(good: list[Clip], converted: frozenset[str]) -> Finding | None:
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


def _uneven(good: list[Clip]) -> Finding | None:
    counts = Counter(clip.label for clip in good).most_common()
    (_, most), (label, least) = counts[0], counts[-1]
    if least * UNEVEN > most:
        return None
    return Finding("uneven", "warning", "Classes are uneven", f"Largest {most:,} clips, smallest {least:,} ({label}).")


def _long(good: list[Clip]) -> Finding | None:
    long = [clip for clip in good if len(clip.caption.split()) > LONG_WORDS]
    if not long:
        return None
    title = "1 caption is overlong" if len(long) == 1 else f"{len(long):,} captions are overlong"
    detail = f"More than {LONG_WORDS} words: most models cut them off."
    return Finding("long-captions", "warning", title, detail, _ids(long), _offer("quarantine"))


def _repeated(good: list[Clip]) -> Finding | None:
    counts = Counter(clip.caption for clip in good)
    twice = [clip for clip in good if counts[clip.caption] > 1]
    if not twice:
        return None
    title = f"{len(twice):,} clips share a caption"
    caption = counts.most_common(1)[0][0]
    shown = caption if len(caption) <= 80 else caption[:79] + "…"
    return Finding("same-captions", "info", title, f"“{shown}” stands under {counts[caption]:,} clips.", _ids(twice))


def _clips_are(count: int, what: str) -> str:
    return f"1 clip is {what}" if count == 1 else f"{count:,} clips are {what}"


def _short_name(clip: Clip) -> str:
    return clip.name.rpartition("/")[2]


def _ids(clips) -> list[int]:
    return [clip.id for clip in clips if clip.id is not None]


def _offer(*actions: str) -> list[tuple[str, str]]:
    return [(action, _WORDS[action]) for action in actions]
