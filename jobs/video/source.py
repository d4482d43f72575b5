"""Opens a video file for decoding; whatever may be wrong with it becomes one sentence."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from orchestrator.domain.errors import Invalid

MAX_SIDE = 16_384
"""Pixels; a larger side is a wrong header or an attack on the memory."""
MAX_PIXELS = 8_192 * 8_192
BROKEN = (av.FFmpegError, ValueError, EOFError, OSError)
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image | Disposition.dependent
"""Streams of pictures that players do not play: covers, thumbnails, layers of another stream."""


@contextmanager
def open_clip(path: Path, name: str = "") -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens `path` and yields its container and the stream of its film, decoding on one thread.

    Args:
        path: the file.
        name: what to call it in a sentence; its file name when empty.

    Raises:
        BadClip: no such file, not a video, sound only, or an impossible frame size.
    """
    name = name or path.name
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        status = None
    if status is None or not stat.S_ISREG(status.st_mode):
        raise BadClip(name, "is no longer there. Add it to the dataset again.")
    if status.st_size == 0:
        raise BadClip(name, "is empty. Upload it again.")
    with _open(path, name) as container:
        stream = _film_stream(path, name, container)
        _check_size(name, stream)
        stream.thread_type = "NONE"
        yield container, stream


def _open(path: Path, name: str) -> InputContainer:
    try:
        # Only local files: a playlist inside an upload must not cause requests to the addresses in it.
        return av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="ignore")
    except BROKEN:
        raise BadClip(name, _what_it_is(path)) from None


def _what_it_is(path: Path) -> str:
    """What is said of a file that cannot be opened as a film."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, and not the video itself. Run git lfs pull, then upload it again."
    return "is not a video we can read, or it is cut off. Upload it again or as MP4."


def films(container: InputContainer) -> list[VideoStream]:
    """The video streams that players can play: all but covers, thumbnails and codecs that nothing here decodes."""
    return [stream for stream in container.streams.video if stream.codec_context and not _is_no_film(stream)]


def _is_no_film(stream: VideoStream) -> bool:
    return bool(stream.disposition & _NO_FILM)


def _film_stream(path: Path, name: str, container: InputContainer) -> VideoStream:
    found = films(container)
    if len(found) == 1:
        return found[0]
    if found:
        return found[_main_film(path, name, found)]
    if any(not stream.codec_context for stream in container.streams.video):
        raise BadClip(name, "is encoded in a way that we cannot decode. Convert it to MP4 (H.264) and upload it again.")
    what = "holds sound only" if container.streams.audio else "holds no film"
    raise BadClip(name, f"{what}{' and a cover picture' if container.streams.video else ''}. Upload a video.")


def _main_film(path: Path, name: str, found: Sequence[VideoStream]) -> int:
    """Which stream is the film: not a preview of it, then the one that players take first, then the largest."""
    lengths = _lengths(path, name, found)
    longest, most = max(seconds for _, seconds in lengths), max(frames for frames, _ in lengths)

    def rank(number: int) -> tuple[bool, bool, int]:
        stream, (frames, seconds) = found[number], lengths[number]
        is_whole = seconds >= longest / 2 and frames >= most / 4
        pixels = stream.codec_context.width * stream.codec_context.height
        return is_whole, bool(stream.disposition & Disposition.default), pixels

    return max(range(len(found)), key=rank)


def _lengths(path: Path, name: str, found: Sequence[VideoStream]) -> list[tuple[int, float]]:
    """(frames, seconds) of each stream, by the headers where all of them say it, else by their packets."""
    said = [(stream.frames, float((stream.duration or 0) * (stream.time_base or 0))) for stream in found]
    if all(frames and seconds for frames, seconds in said):
        return said
    counts = {stream.index: 0 for stream in found}
    first, last = dict.fromkeys(counts, 0.0), dict.fromkeys(counts, 0.0)
    with _open(path, name) as container:
        try:
            for packet in container.demux([container.streams[index] for index in counts]):
                index, stamp = packet.stream_index, packet.pts if packet.pts is not None else packet.dts
                if packet.size and stamp is not None:
                    second = float(stamp * packet.time_base)
                    first[index] = min(first[index], second) if counts[index] else second
                    last[index] = max(last[index], second) if counts[index] else second
                counts[index] += 1 if packet.size else 0
        except BROKEN:
            pass  # what can be read decides
    return [(counts[index], last[index] - first[index]) for index in counts]


def _check_size(name: str, stream: VideoStream) -> None:
    if stream.codec_context.name == "webp":
        raise BadClip(name, "is an animated WebP picture, which cannot be read. Convert it to GIF or MP4.")
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 1 or height < 1:
        raise BadClip(name, "does not say how large its pictures are. It is damaged; upload it again.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise BadClip(name, f"has pictures of {width} x {height} pixels, more than we decode. Make it smaller first.")


def is_image(stream: VideoStream, container: InputContainer) -> bool:
    """True for an image file, which FFmpeg opens as a video of one frame."""
    return container.format.name.endswith("_pipe") or container.format.name in {"image2", "gif_pipe"}


class BadClip(Invalid):
    """A clip that cannot be used: not a video, truncated, empty or too large.

    Attributes:
        clip: the file's name, without its folder.
    """

    def __init__(self, clip: str, what: str) -> None:
        super().__init__(f"{clip} {what}")
        self.clip = clip
