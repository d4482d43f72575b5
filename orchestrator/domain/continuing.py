"""What a run takes over from the adapter that it continues from."""

from collections.abc import Sequence

FROM_ADAPTER = (
    "qlora.r",
    "qlora.alpha",
    "qlora.target_modules",
    "qlora.target_pattern",
    "qlora.rank_pattern",
    "qlora.alpha_pattern",
    "qlora.rslora",
    "qlora.dora",
    "qlora.vision",
    "qlora.init_lora_weights",
)
"""Fields of a recipe that describe the adapter's matrices, so that a run which continues it has the same."""
LABELS_FILE = "labels.json"
"""The class names of an adapter, in the order of its outputs."""
_NAMED = 5


def class_changes(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Sentences on the classes of an adapter and of the run that continues it: outputs are matched by name."""
    fresh = [name for name in now if name not in before]
    dropped = [name for name in before if name not in now]
    sentences = []
    if fresh:
        sentences.append(f"New classes begin untrained: {_named(fresh)}.")
    if dropped:
        sentences.append(f"Classes of the adapter that no clip has are dropped: {_named(dropped)}.")
    return sentences


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
