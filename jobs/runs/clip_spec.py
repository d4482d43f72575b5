"""One clip of a run, as a worker writes it down for a trainer."""

from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.annotations import Annotations, Span, annotations_of


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """One usable clip; `path` is absolute."""

    id: int
    path: str
    label: str
    caption: str
    split: str
    """auto | train | validation."""
    content_hash: str
    name: str = ""
    frames: int = 0
    prompt: str = ""
    """The question that the caption answers; "" where it is a caption."""
    annotations: dict[str, Any] = field(default_factory=dict)
    """`Annotations.to_json`, where label, caption and prompt do not hold everything; read by `annotated`."""
    start_s: float | None = None
    """Where the clip begins in the film at `path`, in seconds; None for the whole film."""
    end_s: float | None = None
    width: int = 0
    """Pixels of a frame as it is shown; 0 where it is not known."""
    height: int = 0
    duration_s: float = 0.0

    @property
    def span(self) -> Span | None:
        """The part of the film that the clip is; None for all of it."""
        return None if self.start_s is None or self.end_s is None else Span(self.start_s, self.end_s)

    @property
    def annotated(self) -> Annotations:
        """Everything that is written about the clip."""
        more = Annotations.from_json(self.annotations) if self.annotations else None
        return annotations_of(self.label, self.caption, self.prompt, more)
