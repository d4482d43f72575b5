"""Everything that a dataset records of a clip, from one decoding: facts, film strip, perceptual hash."""

from pathlib import Path

from av.video.reformatter import VideoReformatter

from jobs.video.perceptual_hash import fingerprint
from jobs.video.probe import probe
from jobs.video.source import BadClip
from jobs.video.thumbnail import join_tiles, write_strip
from orchestrator.domain.clip_facts import ClipFacts


def inspect_clip(path: Path, name: str, strip: Path, scaler: VideoReformatter | None = None) -> ClipFacts:
    """The facts of one clip; for a bad clip, the sentence that refuses it.

    Args:
        path: the clip.
        name: its name in sentences.
        strip: the file that its film strip is written to.
        scaler: see `probe`.
    """
    try:
        facts = probe(path, name, strip=True, scaler=scaler)
    except BadClip as error:
        return ClipFacts(problem=str(error))
    pictures = join_tiles(facts.tiles)
    write_strip(pictures, strip)
    digest = fingerprint(pictures)
    return ClipFacts(
        facts.frames, facts.fps, facts.width, facts.height, facts.duration_s, facts.codec, digest, facts.note
    )
