"""The film strip and the perceptual hash of spans: of their own frames, and not of the whole film's."""

from collections.abc import Sequence
from pathlib import Path

from jobs.video.decode import decode_spans
from jobs.video.perceptual_hash import fingerprint
from jobs.video.source import BadClip
from jobs.video.thumbnail import FRAMES, join_tiles, tile_of, write_strip
from orchestrator.domain.annotations import Span
from orchestrator.domain.clip_facts import SpanFacts


def inspect_spans(path: Path, name: str, spans: Sequence[tuple[Span, Path]]) -> list[SpanFacts]:
    """The facts of some spans of a film, in their order; [] where their frames cannot be decoded.

    Args:
        path: the film.
        name: its name in sentences.
        spans: each with the file that its strip is written to.
    """
    facts: list[SpanFacts] = []
    try:
        parts = decode_spans(path, FRAMES, [span for span, _ in spans], name)
    except BadClip:
        return []
    for part, (_, strip) in zip(parts, spans, strict=True):
        pictures = join_tiles([tile_of(picture) for picture in part.pictures])
        write_strip(pictures, strip)
        facts.append(SpanFacts(part.frames, fingerprint(pictures)))
    return facts
