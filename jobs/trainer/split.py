"""Splits a run's clips into training and validation: seeded, stratified by class, the same each time."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.runs.spec import ClipSpec
from orchestrator.domain.errors import Invalid
from orchestrator.domain.split_rule import validation_count


@dataclass(frozen=True, slots=True)
class Split:
    """The two splits, each in the order of the clips' ids."""

    train: tuple[ClipSpec, ...]
    validation: tuple[ClipSpec, ...]


def split_clips(clips: Sequence[ClipSpec], share: float, seed: int) -> Split:
    """The dataset's own validation clips where it marks some, else `share` of each class.

    Raises:
        Invalid: no training clip is left.
    """
    marked = [clip for clip in clips if clip.split == "validation"]
    validation_ids = {clip.id for clip in marked}
    if not marked:
        classes: dict[str, list[ClipSpec]] = defaultdict(list)
        for clip in clips:
            if clip.split == "auto":
                classes[clip.label].append(clip)
        for group in classes.values():
            order = sorted(group, key=lambda clip: _rank(clip, seed))
            validation_ids |= {clip.id for clip in order[: validation_count(len(order), share)]}
    train = tuple(clip for clip in clips if clip.id not in validation_ids)
    if not train:
        raise Invalid("This dataset has no clip to learn from. Add clips, or mark fewer of them as validation.")
    return Split(train, tuple(clip for clip in clips if clip.id in validation_ids))


def _rank(clip: ClipSpec, seed: int) -> bytes:
    """A pseudo-random key of the clip, the same when other clips are added or removed."""
    return hashlib.sha256(f"{seed}|{clip.content_hash or clip.path}|{clip.id}".encode()).digest()
