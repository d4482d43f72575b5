"""How clips are split into training and validation: one rule for the job form, the trainer and the dataset's page."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class SplitClip:
    """What the rule knows of a clip."""

    id: int
    labels: tuple[str, ...]
    """Its classes; () where it has none."""
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
    """The validation clips: those that are marked, where any is, else about `share` of each class of the others.

    All spans of a film go to validation where one of them does, so that nothing of it is trained on.
    """
    chosen = {clip.id for clip in clips if clip.split == "validation"}
    if not chosen:
        drawn = [clip for clip in clips if clip.split == "auto"]
        chosen = stratified(drawn, share, lambda clip: split_rank(clip, seed))
    return with_uncut_films(clips, chosen)


def stratified(
    clips: Sequence[SplitClip],
    share: float,
    rank: Callable[[SplitClip], Any],
    together: Mapping[int, Collection[int]] = MappingProxyType({}),
) -> set[int]:
    """Draws `share` of each class, as closely as clips with several classes allow.

    The rarest class first, as in iterative stratification (Sechidis et al. 2011): what is drawn for it counts for the
    clips' other classes. A clip whose other classes have enough already is drawn last, and none is drawn that would
    leave a class without a clip to train on.

    Args:
        rank: the order in which the clips of a class are drawn.
        together: ids of clips to the ids of others that should be drawn with them where they have the class, too. Where
            a class has room for no such group, single clips of it are drawn.
    """
    classes = by_class(clips)
    wanted = {name: validation_count(len(group), share) for name, group in classes.items()}
    drawn: Counter[str] = Counter()
    chosen: set[int] = set()

    def draw(unit: Sequence[SplitClip], name: str) -> None:
        added = Counter(other for clip in unit for other in _classes_of(clip))
        leaves_some = all(drawn[other] + count < len(classes[other]) for other, count in added.items())
        if drawn[name] + len(unit) <= wanted[name] and leaves_some:
            chosen.update(clip.id for clip in unit)
            drawn.update(added)

    for name, group in sorted(classes.items(), key=lambda pair: (len(pair[1]), pair[0])):
        rest = {clip.id: clip for clip in group if clip.id not in chosen}
        full = {key: sum(drawn[other] >= wanted[other] for other in _classes_of(clip)) for key, clip in rest.items()}
        order = sorted(rest.values(), key=lambda clip: (full[clip.id], rank(clip)))
        for clip in order:
            unit = {clip.id, *together.get(clip.id, ())} & rest.keys() - chosen
            draw([rest[key] for key in unit], name)
        for clip in [] if drawn[name] else order:
            draw([clip], name)
    return chosen


def by_class(clips: Iterable[SplitClip]) -> dict[str, list[SplitClip]]:
    """The clips of each class; a clip with several classes stands in each, one without any under ""."""
    classes: dict[str, list[SplitClip]] = defaultdict(list)
    for clip in clips:
        for name in _classes_of(clip):
            classes[name].append(clip)
    return classes


def _classes_of(clip: SplitClip) -> tuple[str, ...]:
    return clip.labels or ("",)


def with_uncut_films(clips: Sequence[SplitClip], chosen: Collection[int]) -> set[int]:
    """The chosen clips, and the other spans of their films."""
    films = {clip.content for clip in clips if clip.is_span and clip.id in chosen}
    return {clip.id for clip in clips if clip.id in chosen or (clip.is_span and clip.content in films)}
