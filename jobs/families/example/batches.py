"""Turns the template's items into the arguments of its model's `forward`."""

from collections.abc import Sequence
from typing import Any

from jobs.families.classification import class_targets
from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Item, Plan


class FrameCollator(ClipNormalizer):
    """Items to `pixel_values` (B, T, 3, H, W), normalized as the checkpoint's processor does, and `labels`.

    `normalize_and_augment` varies the clips of the training split. Everything else that is random must come from
    `generator_for(items)`, so that a resumed run draws the same.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.base, plan.recipe)
        self._plan = plan

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        return {"pixel_values": self.normalize_and_augment(items), "labels": class_targets(self._plan, items)}
