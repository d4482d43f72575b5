"""Opens a video file for decoding; whatever may be wrong with it becomes one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from orchestrator.domain.errors import Invalid

MAX_SIDE = 16_384
"""Pixels; a larger side is a wrong header or an attack on the memory."""
MAX_PIXELS = 8_192 * 8_192
BROKEN = (av.FFmpegError, ValueError, EOFError, OSError)


@contextmanager
def open_clip(path: Path, name: str = "") -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens `path` and yields its container and first video stream, decoding on one thread.

    Args:
        path: the file.
        name: what to call it in a sentence; its file name when empty.

    Raises:
        BadClip: no such file, not a video, sound only, or an impossible frame size.
    """
    name = name or path.name
    if not path.is_file():
        raise BadClip(name, "is no longer there. Add it to the dataset again.")
    if path.stat().st_size == 0:
        raise BadClip(name, "is empty. Upload it again.")
    try:
        # Only local files: a playlist inside an upload must not cause requests to the addresses in it.
        container = av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="ignore")
    except BROKEN:
        raise BadClip(name, "is not a video we can read, or it is cut off. Upload it again or as MP4.") from None
    with container:
        if not container.streams.video:
            what = "holds sound only" if container.streams.audio else "holds no pictures"
            raise BadClip(name, f"{what}. Upload a video.")
        stream = container.streams.video[0]
        _check_size(name, stream)
        stream.thread_type = "NONE"
        yield container, stream


def _check_size(name: str, stream: VideoStream) -> None:
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
