"""Which frames of a clip a sample has, and when each of them is shown."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class FrameTiming:
    """The sampled frames of a clip, as transformers' `VideoMetadata` names them."""

    indices: tuple[int, ...]
    """Of the sampled frames among those of the clip."""
    total: int
    """Frames of the clip."""
    fps: float
    """Frames a second; the mean where frames are shown for different times."""

    @property
    def seconds(self) -> list[float]:
        """When each sampled frame is shown, counted at the mean rate."""
        return [index / self.fps for index in self.indices]

    @property
    def duration_s(self) -> float:
        return self.total / self.fps

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "FrameTiming":
        """Reads what `to_bytes` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        fields = json.loads(raw)
        return cls(tuple(map(int, fields["indices"])), int(fields["total"]), float(fields["fps"]))
