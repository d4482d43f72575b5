"""Everything that a dataset wants to know of a clip, from one decoding: facts, film strip, fingerprint."""

from collections.abc import Sequence
from pathlib import Path

from av.video.reformatter import VideoReformatter

from jobs.video.perceptual_hash import fingerprint
from jobs.video.probe import probe
from jobs.video.source import BadClip
from jobs.video.thumbnail import join_tiles, write_strip
from orchestrator.domain.clip_facts import ClipFacts


def inspect_clip(path: Path, name: str, strip: Path, scaler: VideoReformatter | None = None) -> ClipFacts:
    """The facts of one clip, and its film strip written to `strip`; for a bad clip the sentence that refuses it."""
    try:
        found = probe(path, name, strip=True, scaler=scaler)
    except BadClip as error:
        return ClipFacts(problem=str(error))
    pictures = join_tiles(found.tiles)
    write_strip(pictures, strip)
    seen = fingerprint(pictures)
    return ClipFacts(found.frames, found.fps, found.width, found.height, found.duration_s, found.codec, seen)


def inspect_each(asked: Sequence[tuple[str, str, str]]) -> list[ClipFacts]:
    """Of several, each (file, name to say, where its film strip goes); in this very process."""
    return [inspect_clip(Path(path), name, Path(strip)) for path, name, strip in asked]
