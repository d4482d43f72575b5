"""How a run divides the room of the cache between the features of its clips and their frames."""

from dataclasses import dataclass

from orchestrator.domain import formatting


@dataclass(frozen=True, slots=True)
class CacheShare:
    """What the cache keeps of a run's clips; the others are decoded, or encoded, in the step that needs them."""

    clips: int
    found: int
    """Clips whose features an earlier run has left there."""
    feature_bytes: int
    """Of one clip."""
    features: int
    """Clips whose features are kept."""
    frames: int = 0
    """Clips whose frames are kept instead."""

    def sentence(self) -> str:
        """For the job's log."""
        total = formatting.size(self.feature_bytes * self.clips)
        need = f"Vision features take {formatting.size(self.feature_bytes)} a clip, {total} for {self.clips:,} clips."
        if self.features == self.clips:
            return (
                f"{need} All fit into the cache: the frozen vision tower encodes each clip once "
                f"({self.found:,} of {self.clips:,} in an earlier run)."
            )
        decoded = self.clips - self.features - self.frames
        rest = [f"the frames of {self.frames:,} are kept and encoded in each step"] if self.frames else []
        rest += [f"{decoded:,} are decoded and encoded in each step"] if decoded else []
        kept = f"{self.features:,} of them" if self.features else "none of them"
        return f"{need} The cache has room for {kept}; {' and '.join(rest)}."


def divide_cache(available: int, clips: int, found: int, feature_bytes: int, frame_bytes: int) -> CacheShare:
    """Features of all clips where they fit; else what saves the most decoding.

    Frames that are smaller than features come first, because decoding a clip takes longer than encoding it.

    Args:
        available: bytes of the cache.
        frame_bytes: of one clip.
    """
    if clips * feature_bytes <= available:
        return CacheShare(clips, found, feature_bytes, clips)
    if feature_bytes <= frame_bytes:
        return CacheShare(clips, found, feature_bytes, available // feature_bytes)
    if clips * frame_bytes <= available:
        features = (available - clips * frame_bytes) // (feature_bytes - frame_bytes)
        return CacheShare(clips, found, feature_bytes, features, clips - features)
    return CacheShare(clips, found, feature_bytes, 0, available // frame_bytes)
