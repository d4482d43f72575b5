"""How clips are split into training and validation: one rule for the job form, the trainer and the dataset's page."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SplitClip:
    """What the rule knows of a clip."""

    id: int
    label: str
    split: str
    """auto, train or validation."""
    content: str
    """The hash of its film."""
    is_span: bool = False


def validation_count(count: int, share: float) -> int:
    """How many clips of one class go to validation: rounded, at least one, never all of them.

    Args:
        count: the clips of the class; of a single one none goes to validation.
        share: the share for validation, between 0 and 1.
    """
    return max(1, min(count - 1, round(count * share))) if count > 1 else 0


def split_rank(clip: SplitClip, seed: int) -> tuple[bytes, int]:
    """A pseudo-random key of the clip, the same when other clips are added or removed; one key for all spans of a film,
    so that each class draws the same films."""
    drawn = f"{seed}|{clip.content}" if clip.is_span else f"{seed}|{clip.content}|{clip.id}"
    return hashlib.sha256(drawn.encode()).digest(), clip.id


def validation_ids(clips: Sequence[SplitClip], share: float, seed: int) -> set[int]:
    """The validation clips: those that are marked, where any is, else `share` of each class of the others.

    All spans of a film go to validation where one of them does, so that nothing of it is trained on.
    """
    chosen = {clip.id for clip in clips if clip.split == "validation"}
    if not chosen:
        classes: Mapping[str, list[SplitClip]] = defaultdict(list)
        for clip in clips:
            if clip.split == "auto":
                classes[clip.label].append(clip)
        for group in classes.values():
            order = sorted(group, key=lambda clip: split_rank(clip, seed))
            chosen |= {clip.id for clip in order[: validation_count(len(order), share)]}
    return with_uncut_films(clips, chosen)


def with_uncut_films(clips: Sequence[SplitClip], chosen: Collection[int]) -> set[int]:
    """The chosen clips, and the other spans of their films."""
    films = {clip.content for clip in clips if clip.is_span and clip.id in chosen}
    return {clip.id for clip in clips if clip.id in chosen or (clip.is_span and clip.content in films)}
