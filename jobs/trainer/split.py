"""Divides a run's clips into those it learns from and those it is judged by: seeded, by class, the same each time."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.runs.spec import ClipSpec
from orchestrator.domain.errors import Invalid
from orchestrator.domain.split_rule import validation_count


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides, each in the order of the clips' ids."""

    train: tuple[ClipSpec, ...]
    validation: tuple[ClipSpec, ...]


def split_clips(clips: Sequence[ClipSpec], share: float, seed: int) -> Split:
    """The dataset's own validation clips where it marks some, else `share` of each class.

    Raises:
        Invalid: nothing is left to learn from.
    """
    marked = [clip for clip in clips if clip.split == "validation"]
    held = {clip.id for clip in marked}
    if not marked:
        classes: dict[str, list[ClipSpec]] = defaultdict(list)
        for clip in clips:
            if clip.split == "auto":
                classes[clip.label].append(clip)
        for group in classes.values():
            order = sorted(group, key=lambda clip: _lot(clip, seed))
            held |= {clip.id for clip in order[: validation_count(len(order), share)]}
    train = tuple(clip for clip in clips if clip.id not in held)
    if not train:
        raise Invalid("This dataset has no clip to learn from. Add clips, or mark fewer of them as validation.")
    return Split(train, tuple(clip for clip in clips if clip.id in held))


def _lot(clip: ClipSpec, seed: int) -> bytes:
    """A draw that stays with the clip when others are added or removed."""
    return hashlib.sha256(f"{seed}|{clip.content_hash or clip.path}|{clip.id}".encode()).digest()
