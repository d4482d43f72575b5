"""Splits a run's clips into training and validation: seeded, stratified by class, the same each time."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.manifest import ManifestClips
from orchestrator.domain.errors import Invalid
from orchestrator.domain.split_rule import SplitClip, validation_ids


@dataclass(frozen=True, slots=True)
class Split:
    """The two splits, each in the order of the clips' ids."""

    train: Sequence[ClipSpec]
    validation: Sequence[ClipSpec]


def split_clips(clips: Sequence[ClipSpec], share: float, seed: int) -> Split:
    """The dataset's own validation clips where it marks some, else `share` of each class; films are never divided.

    Raises:
        Invalid: no training clip is left.
    """
    known = [_of_rule(clip) for clip in clips]
    held_out = validation_ids(known, share, seed)
    train = [number for number, clip in enumerate(known) if clip.id not in held_out]
    if not train:
        raise Invalid("This dataset has no clip to learn from. Add clips, or mark fewer of them as validation.")
    return Split(
        _chosen(clips, train), _chosen(clips, [number for number, clip in enumerate(known) if clip.id in held_out])
    )


def _chosen(clips: Sequence[ClipSpec], positions: Sequence[int]) -> Sequence[ClipSpec]:
    if isinstance(clips, ManifestClips):
        return clips.subset(positions)
    return tuple(clips[position] for position in positions)


def _of_rule(clip: ClipSpec) -> SplitClip:
    content = clip.content_hash or clip.path
    return SplitClip(clip.id, clip.annotated.labels, clip.split, content, clip.span is not None)
