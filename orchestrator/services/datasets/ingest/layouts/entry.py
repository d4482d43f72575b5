"""The result of reading an upload with a layout: one entry for each clip, and notes for the dataset's page."""

from dataclasses import dataclass, field

from orchestrator.domain.annotations import Annotations, Span, short_form
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.not_used import NotUsed


@dataclass(frozen=True, slots=True)
class Entry:
    """One clip of the upload with its annotations: a file, or a span of one. With a `problem` it is not imported.

    Several entries may have the same `name`: each is another span of that film (`key` tells them apart).
    """

    name: str
    """The path inside the upload."""
    annotations: Annotations = field(default_factory=Annotations)
    span: Span | None = None
    """The part of the film that the clip is; None for all of it."""
    split: Split = Split.AUTO
    problem: str = ""

    @property
    def key(self) -> tuple[str, Span | None]:
        """Tells the entries of an upload apart."""
        return self.name, self.span

    @property
    def label(self) -> str:
        """The labels with commas, as a list of clips shows them; "" without one."""
        return short_form(self.annotations)[0]

    @property
    def caption(self) -> str:
        """The first caption, or the answer to `prompt`, as a list of clips shows it; "" without one."""
        return short_form(self.annotations)[1]

    @property
    def prompt(self) -> str:
        """The first question; "" without one."""
        return short_form(self.annotations)[2]


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
