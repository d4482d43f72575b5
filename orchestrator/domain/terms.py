"""Words of the field that pages explain where they stand: a sentence each, which the glossary of the docs repeats."""

import re
from dataclasses import dataclass

GLOSSARY = "/docs/glossary/"
"""Where a running studio serves the glossary."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word and the sentence that explains it."""

    name: str
    """As the glossary lists it."""
    meaning: str

    @property
    def anchor(self) -> str:
        """Its id in the glossary's page."""
        return anchor_of(self.name)

    @property
    def href(self) -> str:
        return f"{GLOSSARY}#{self.anchor}"


def anchor_of(name: str) -> str:
    """The id of a term in the glossary's page: "Rank (r)" -> "rank-r"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


NF4 = Term(
    "NF4",
    "4-bit NormalFloat: sixteen values spaced for weights that are normally distributed, with one scale for each "
    "block of 64 weights.",
)
RANK = Term(
    "Rank (r)",
    "The inner size of an adapter's two matrices: more rank can learn more, and takes more memory.",
)
ALPHA = Term(
    "Alpha",
    "A factor on the adapter's output, which is scaled by alpha divided by rank; twice the rank is usual.",
)
DROPOUT = Term(
    "Dropout",
    "The share of an adapter's inputs set to zero at random in each training step, against overfitting.",
)
TARGET_MODULES = Term(
    "Target modules",
    "The linear layers that get an adapter, by the ending of their names; by default all linear layers of the "
    "language model or encoder.",
)
LEARNING_RATE = Term("Learning rate", "How far a step moves the weights.")
WARM_UP = Term(
    "Warm-up",
    "The first share of a run, in which the learning rate rises from zero to its full value.",
)
SCHEDULER = Term(
    "Scheduler",
    "How the learning rate moves after the warm-up: along a cosine, a line, or not at all.",
)
BATCH_SIZE = Term("Batch size", "Clips that pass through the model at once.")
ACCUMULATION = Term(
    "Gradient accumulation",
    "Batches whose gradients are added up before one optimizer step, so that a step sees batch size times "
    "accumulation clips.",
)
EPOCH = Term("Epoch", "One pass over all training clips.")
WEIGHT_DECAY = Term("Weight decay", "A pull of the weights towards zero at each step, against overfitting.")
GRADIENT_CLIPPING = Term(
    "Gradient clipping",
    "A limit on the length of the gradient, so that one odd batch cannot throw the run off.",
)
LOSS = Term(
    "Loss",
    "What training makes small: how badly the model's answers fit the labels or captions of a batch.",
)
VALIDATION_LOSS = Term(
    "Validation loss",
    "The loss on held-out clips; when it rises while the loss falls, the model overfits.",
)
GRADIENT_NORM = Term(
    "Gradient norm",
    "The length of the gradient before it is clipped: sudden peaks say that the learning rate is too high.",
)
SPEED = Term("Speed", "The time of one optimizer step, and how many clips pass through the model in a second.")
DRAIN = Term("Drain", "Letting a worker finish its job and take no new one.")

TERMS = (
    NF4,
    RANK,
    ALPHA,
    DROPOUT,
    TARGET_MODULES,
    LEARNING_RATE,
    WARM_UP,
    SCHEDULER,
    BATCH_SIZE,
    ACCUMULATION,
    EPOCH,
    WEIGHT_DECAY,
    GRADIENT_CLIPPING,
    LOSS,
    VALIDATION_LOSS,
    GRADIENT_NORM,
    SPEED,
    DRAIN,
)
"""Every term that is explained here; those of metrics stand with the metrics (`tasks.py`)."""
