"""The film strips of clips: a span has its own beside that of its film, under a name that says the span."""

import re
from pathlib import PurePosixPath

from orchestrator.domain.annotations import Span

_OF_A_SPAN = re.compile(r"(?<=[0-9a-f]{24})-\d+-\d+(?=\.jpg$)")


def span_strip_of(film_strip: str, span: Span | None) -> str:
    """The path of a span's strip by that of its film; for a whole film, the film's."""
    if span is None:
        return film_strip
    path = PurePosixPath(film_strip)
    return str(path.with_name(f"{path.stem}-{round(span.start_s * 1_000)}-{round(span.end_s * 1_000)}{path.suffix}"))


def film_strip_of(strip: str) -> str:
    """The path of a film's strip by that of a span of it; other paths stay as they are."""
    return _OF_A_SPAN.sub("", strip)
