"""What a layout makes of an upload: one entry a clip, and what it understood, in words for the dataset's page."""

from dataclasses import dataclass, field

from orchestrator.domain.datasets import Split

CAPTION_LIMIT, LABEL_LIMIT, PROMPT_LIMIT = 4_000, 200, 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the upload and what is said about it; `problem` refuses it before it is looked at."""

    name: str
    """Path inside the upload."""
    label: str = ""
    caption: str = ""
    prompt: str = ""
    """The question that the caption answers, where the data set asks one."""
    split: Split = Split.AUTO
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """How an upload was read.

    Attributes:
        key: the layout's short name.
        title: the layout's name for people.
        entries: one a clip, in the order in which they are described.
        files: the files that describe the others; they are no clips themselves.
        columns: what was taken from where: {"caption": "text"}.
        notes: sentences about what was left out or chosen.
    """

    key: str
    title: str
    entries: list[Entry]
    files: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
