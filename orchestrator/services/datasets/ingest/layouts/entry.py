"""The result of reading an upload with a layout: one entry for each clip, and notes for the dataset's page."""

from dataclasses import dataclass, field

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.not_used import NotUsed

CAPTION_LIMIT, LABEL_LIMIT, PROMPT_LIMIT = 4_000, 200, 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the upload with its annotations; with a `problem` it is not imported."""

    name: str
    """The path inside the upload."""
    label: str = ""
    caption: str = ""
    prompt: str = ""
    """The question that the caption answers; "" without one."""
    split: Split = Split.AUTO
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DetectedLayout:
    """How an upload was read.

    Attributes:
        key: the name of the layout in `detect.LAYOUTS`.
        title: the name of the layout in the product.
        entries: one for each clip, in the order of the annotation files.
        files: the annotation files.
        columns: the source of each value: {"caption": "text"}.
        notes: sentences about what was left out or chosen.
        not_used: what of the annotation files is not used, and why.
    """

    key: str
    title: str
    entries: list[Entry]
    files: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    not_used: list[NotUsed] = field(default_factory=list)
