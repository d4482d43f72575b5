"""When each frame of a clip is shown, by its time stamps; and which frames a sample takes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.format import Flags
from av.video.stream import VideoStream

from jobs.video.sampling import even_rate, even_step, sample_by_time, sample_indices
from orchestrator.domain.annotations import Span

_USUAL_RATE = 25.0
_ROUNDING_S = 0.001
"""By how much a time stamp may differ from the second that is meant: Matroska stores milliseconds."""
_FASTEST = 1_000.0
"""Frames a second; a higher rate is a wrong header."""
JUMP_S = 10.0
"""A longer step in a format whose clock may start again, such as MPEG-TS, is no pause (as in FFmpeg's command)."""

_GUESSED_TIMES = frozenset({"mpeg", "mpegvideo", "h264", "hevc", "m4v"})
"""Formats in which few frames have a time stamp; the others are counted from the beginning, so not after a seek."""


@dataclass(frozen=True, slots=True)
class StreamClock:
    """How the time stamps of a stream are read.

    Attributes:
        time_base: seconds of one unit.
        step_s: how long a frame is shown where no time stamps say it.
        jumps: whether the format allows its clock to start again.
        seeks: whether frames have their own time stamps after a seek.
        reliable: False where the time stamps of decoded frames are not theirs.
    """

    time_base: Fraction
    step_s: float
    jumps: bool
    seeks: bool
    reliable: bool

    @property
    def rate(self) -> float:
        """The header's frames a second."""
        return 1 / self.step_s


def clock_of(container: InputContainer, stream: VideoStream) -> StreamClock:
    """The clock of an opened file's film."""
    rate = float(stream.average_rate or 0)
    rate = rate if 0 < rate < _FASTEST else float(stream.guessed_rate or 0)
    rate = rate if 0 < rate < _FASTEST else _USUAL_RATE
    # AVI stores frames without times. FFmpeg counts them as they are stored, not as they are shown.
    reliable = container.format.name != "avi" or not stream.codec_context.has_b_frames
    jumps = bool(container.format.flags & Flags.ts_discont.value)
    seeks = reliable and container.format.name not in _GUESSED_TIMES
    return StreamClock(stream.time_base or Fraction(1, 1_000), 1 / rate, jumps, seeks, reliable)


class RunningClock:
    """The seconds of frames in the order in which they are shown: 0 for the first, then always later."""

    def __init__(self, clock: StreamClock) -> None:
        self._clock, self._stamp, self._second = clock, None, -clock.step_s
        self._origin, self._origin_s = 0, 0.0

    def second(self, stamp: int | None) -> float:
        """When the next frame is shown, which has this time stamp."""
        clock, last = self._clock, self._stamp
        step = 0 if last is None or stamp is None or not clock.reliable else stamp - last
        if step > 0 and stamp is not None and not (clock.jumps and step * clock.time_base > JUMP_S):
            units = (stamp - self._origin) * clock.time_base.numerator
            self._second = self._origin_s + units / clock.time_base.denominator
        else:
            self._second = max(0.0, self._second + clock.step_s)
            self._origin, self._origin_s = stamp or 0, self._second
        self._stamp = stamp
        return self._second


@dataclass(frozen=True, slots=True)
class Timeline:
    """The frames of a clip that players show, in their order.

    Attributes:
        starts: the second at which each is shown, from the first one.
        duration_s: from the first frame to the end of the last one.
        rate: frames a second; the mean where `is_even` is False.
        is_even: whether each frame is shown about as long as the others.
    """

    starts: Sequence[float]
    duration_s: float
    rate: float
    is_even: bool

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.starts)

    def sample(self, count: int, fps: float | None = None, span: Span | None = None, place: float = 0.5) -> list[int]:
        """Indices of `count` frames: by their number where the rate is constant, else by the time they are shown.

        See `sample_indices`: the middles of equal parts of the clip, or with `fps` frames so far apart.

        Args:
            span: the part of the film that is sampled; None: all of it.
            place: as of `sample_indices`.
        """
        if span is not None:
            first, part = self.part(span)
            return [first + index for index in part.sample(count, fps, place=place)]
        if self.is_even:
            return sample_indices(self.frames, count, self.rate, fps, place)
        return sample_by_time(self.starts, self.duration_s, count, fps, place)

    def part(self, span: Span) -> tuple[int, "Timeline"]:
        """The frames that are shown within a span, at least one: the index of the first, and their timeline."""
        first = max(0, bisect_right(self.starts, span.start_s + _ROUNDING_S) - 1)
        last = max(first + 1, bisect_left(self.starts, span.end_s - _ROUNDING_S))
        end = min(span.end_s, self.starts[last] if last < self.frames else self.duration_s)
        starts = [start - self.starts[first] for start in self.starts[first:last]]
        duration = max(end - self.starts[first], starts[-1])
        return first, Timeline(starts, duration, self.rate, self.is_even)


def build_timeline(stamps: Iterable[int | None], last_duration: int, clock: StreamClock) -> Timeline:
    """The timeline of frames in the order in which they are shown.

    Args:
        stamps: their time stamps; at least one.
        last_duration: how long the last frame is shown, in units of the time base; 0: not known.
    """
    stamps = list(stamps)
    starts = _constant(stamps, clock)
    is_constant = starts is not None
    if starts is None:
        running = RunningClock(clock)
        starts = [running.second(stamp) for stamp in stamps]
    last = float(last_duration * clock.time_base) if clock.reliable and stamps[-1] is not None else 0.0
    last = 0.0 if clock.jumps and last > JUMP_S else last
    steps = len(starts) - 1
    if not steps:
        return Timeline(starts, last or clock.step_s, clock.rate, True)
    step = starts[1] if is_constant and last <= 3 * starts[1] else even_step(starts, last)
    if step:
        is_whole = starts[-1] <= (steps + 0.5) * step  # no frame is missing near the end
        duration = starts[-1] + (last if last > step / 2 else step) * is_whole
        return Timeline(starts, duration, even_rate(step, steps, clock.rate), True)
    duration = starts[-1] + (last or starts[-1] - starts[-2])
    return Timeline(starts, duration, len(starts) / duration, False)


def _constant(stamps: Sequence[int | None], clock: StreamClock) -> list[float] | None:
    """The seconds of frames that are exactly as far from each other; what `RunningClock` says too, but faster."""
    first, second = stamps[0], stamps[1] if len(stamps) > 1 else None
    if first is None or second is None or second <= first or not clock.reliable:
        return None
    step, count = second - first, len(stamps)
    if clock.jumps or stamps != list(range(first, first + step * count, step)):
        return None
    units, unit = step * clock.time_base.numerator, clock.time_base.denominator
    return [i * units / unit for i in range(count)]
