"""The part of a recipe about augmentation: how training clips are varied, and which runs can have which variation."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from orchestrator.domain.recipe_fields import FieldSpec, Group, RecipePart, Section

JITTER_PARTS = 3
"""A part of the clip is divided into so many, and temporal jitter takes the frame of one of them."""
_SIDES = frozenset(
    {
        *("left", "right", "leftward", "leftwards", "rightward", "rightwards", "west", "east"),
        *("clockwise", "counterclockwise", "anticlockwise", "cw", "ccw"),
        *("links", "rechts", "gauche", "droite", "izquierda", "derecha", "sinistra", "destra", "esquerda", "direita"),
    }
)
"""Words that a mirrored clip turns round, in the languages that class names are most often in."""
_LISTED = 3

MIXES_CLASSES = "Clips are mixed together with their classes. Set it to 0 for a base that does not classify."
"""The error of MixUp and CutMix where the run has no classes."""
MIXES_A_BATCH = "MixUp and CutMix mix the clips of a batch. Enter a batch size of at least 2."
"""The error of a batch size of 1 with one of them."""
OWN_SAMPLING = "This base's own processor chooses the frames of a clip. Switch temporal jitter off."
"""The error of temporal jitter with a video language model."""
CACHED_FEATURES = (
    "The vision tower of this base is frozen, so its features are computed once for each clip and cached, and varied "
    "frames would never be seen. Switch this off, or give the vision tower adapters."
)
"""The error of varied pixels where the features of clips are cached."""


class Augmentation(RecipePart):
    """How the clips of the training split are varied, in each epoch differently. Validation clips never are."""

    basic: Annotated[
        bool,
        FieldSpec(
            "Small shifts and colours",
            "Small shifts and colours are either on or off.",
            Section.ADVANCED,
            491,
            hint="moves and scales a clip and recolours it, each by up to 15 %",
            title="Small shifts and colours",
            review_label="Augmentation",
            review_text="small shifts and colours",
            review_default=False,
            group=Group.AUGMENTATION,
        ),
    ] = True
    """Translation by up to a tenth of the frame, scale and colours by up to 15 %; not for video language models."""
    jitter: Annotated[
        bool,
        FieldSpec(
            "Temporal jitter",
            "Temporal jitter is either on or off.",
            Section.ADVANCED,
            492,
            hint="other frames of a clip in each epoch; the frame cache then holds three times as many",
            title="Temporal jitter",
            review_label="Frames",
            review_text="temporal jitter",
            review_default=False,
            group=Group.AUGMENTATION,
        ),
    ] = False
    """Each frame is one of three of its part of the clip (segment sampling, Wang et al. 2016); where frames
    are a fixed time apart, all of a clip move together."""
    flip: Annotated[
        bool,
        FieldSpec(
            "Horizontal flip",
            "Horizontal flip is either on or off.",
            Section.ADVANCED,
            493,
            hint="mirrors half of the clips; not where left and right mean something",
            title="Horizontal flip",
            review_label="Flip",
            review_text="half of the clips mirrored",
            review_default=False,
            group=Group.AUGMENTATION,
        ),
    ] = False
    """Each clip is mirrored with a probability of one half. It swaps left and right, which a class may depend on."""
    rand_augment: Annotated[
        bool,
        FieldSpec(
            "RandAugment",
            "RandAugment is either on or off.",
            Section.ADVANCED,
            494,
            hint="two random operations a clip, of magnitude 9",
            title="RandAugment",
            review_label="RandAugment",
            review_text="2 operations of magnitude 9",
            review_default=False,
            group=Group.AUGMENTATION,
        ),
    ] = False
    """RandAugment (Cubuk et al. 2020) by torchvision: two operations of magnitude 9, the same for all frames of a
    clip."""
    mixup: Annotated[
        float,
        Field(ge=0.0, le=10.0),
        FieldSpec(
            "MixUp",
            "The alpha of MixUp must be a number from 0 to 10; 0 is off.",
            Section.ADVANCED,
            495,
            hint="alpha; 0: off; 0.8 is usual; for classes",
            sweepable=True,
            review_default=False,
            group=Group.AUGMENTATION,
        ),
    ] = 0.0
    """MixUp (Zhang et al. 2018): clips of a batch are blended with their classes by a share from Beta(alpha, alpha)."""
    cutmix: Annotated[
        float,
        Field(ge=0.0, le=10.0),
        FieldSpec(
            "CutMix",
            "The alpha of CutMix must be a number from 0 to 10; 0 is off.",
            Section.ADVANCED,
            496,
            hint="alpha; 0: off; 1 is usual; for classes",
            sweepable=True,
            review_default=False,
            group=Group.AUGMENTATION,
        ),
    ] = 0.0
    """CutMix (Yun et al. 2019): a rectangle of one clip is pasted into another of the batch, and the classes are
    blended by its area. Together with MixUp each batch gets one of the two."""

    @property
    def mixes(self) -> bool:
        """Whether clips of a batch are mixed."""
        return self.mixup > 0 or self.cutmix > 0

    def problems(
        self, *, has_classes: bool, batch_size: int, own_sampling: bool, cached_features: bool
    ) -> list[tuple[str, str]]:
        """What a run cannot have, by field.

        Args:
            has_classes: it fine-tunes a classifier.
            own_sampling: the base is a video language model, whose processor or layout chooses the frames.
            cached_features: its vision tower is frozen.
        """
        found: list[tuple[str, str]] = []
        if self.jitter and own_sampling:
            found.append(("augment.jitter", OWN_SAMPLING))
        pixels = {"augment.flip": self.flip, "augment.rand_augment": self.rand_augment}
        found += [(field, CACHED_FEATURES) for field, is_on in pixels.items() if is_on and cached_features]
        mixed = {"augment.mixup": self.mixup, "augment.cutmix": self.cutmix}
        found += [(field, MIXES_CLASSES) for field, alpha in mixed.items() if alpha and not has_classes]
        if self.mixes and has_classes and batch_size < 2:
            found.append(("optim.batch_size", MIXES_A_BATCH))
        return found


def names_with_sides(names: Iterable[str]) -> list[str]:
    """The class names that name a side or a direction of rotation, which a mirrored clip shows the other way round."""
    return [name for name in names if _SIDES & set(re.split(r"[\W_]+", name.casefold().replace("counter-", "counter")))]


def flip_warning(names: Iterable[str]) -> str:
    """The warning about mirrored clips of classes that name a side; "" without such a class."""
    found = names_with_sides(names)
    if not found:
        return ""
    more = f" and {len(found) - _LISTED:,} more" if len(found) > _LISTED else ""
    listed = ", ".join(f"'{name}'" for name in found[:_LISTED])
    return f"A mirrored clip of {listed}{more} shows the other side under the same name. Switch Horizontal flip off."
