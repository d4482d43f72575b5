"""`python -m jobs.sandbox.make_films MAX_BYTES`: writes folders of pictures as films, without loss.

JPEG and PNG are copied as they are; pictures that a film cannot hold so are written as PNG.
"""

import gc
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.packet import Packet
from PIL import Image, ImageOps

from jobs.sandbox import limits

MEMORY_BYTES = 3 * 2**30
CPU_S = 600
"""For one film."""
LONGEST_SIDE = 8_192
_COPIED = {"JPEG": "mjpeg", "PNG": "png"}
_JPEG_MODES = frozenset({"RGB", "L"})
_ORIENTATION = 0x0112
_PIXEL_FORMATS = {"mjpeg": "yuvj420p", "png": "rgb24"}


class BadFrames(Exception):
    """The pictures cannot be a film; the message says why."""


def make_film(pictures: Sequence[Path], target: Path, fps: float) -> int:
    """Writes the pictures, in their order, as a QuickTime file of so many frames a second.

    The same pictures at the same rate give the same bytes.

    Returns:
        How many pictures have another size than the first.

    Raises:
        BadFrames: one of them is no picture, or too large.
    """
    codec, sizes = _examined(pictures)
    _write(target, fps, codec, sizes[0], _encoded(pictures, codec))
    return sum(size != sizes[0] for size in sizes)


def copy_film(source: Path, target: Path, fps: float) -> None:
    """Writes a film that `make_film` has written with another rate: the bytes that it would have had with it."""
    with av.open(str(source)) as read:
        film = read.streams.video[0]
        codec, size = film.codec_context.name, (film.codec_context.width, film.codec_context.height)
        if codec not in _PIXEL_FORMATS:
            raise BadFrames(f"It is a film of {codec}, and not of pictures.")
        _write(target, fps, codec, size, (bytes(packet) for packet in read.demux(film) if packet.size))


def _write(target: Path, fps: float, codec: str, size: tuple[int, int], pictures: Iterable[bytes]) -> None:
    rate = Fraction(fps).limit_denominator(1_001)
    with av.open(str(target), "w", format="mov", options={"fflags": "+bitexact"}) as out:
        film = out.add_stream(codec, rate=rate)
        film.width, film.height, film.pix_fmt = *size, _PIXEL_FORMATS[codec]  # type: ignore[union-attr]
        for number, data in enumerate(pictures):
            packet = Packet(data)
            packet.stream, packet.time_base, packet.is_keyframe = film, 1 / rate, True
            packet.pts = packet.dts = number
            packet.duration = 1
            out.mux(packet)


def _examined(pictures: Sequence[Path]) -> tuple[str, list[tuple[int, int]]]:
    """(the codec that holds all pictures, the size of each)."""
    codecs, sizes = set(), []
    for path in pictures:
        try:
            with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
                turned = picture.getexif().get(_ORIENTATION, 1) != 1
                is_plain = not turned and (picture.format != "JPEG" or picture.mode in _JPEG_MODES)
                codecs.add(_COPIED.get(picture.format or "", "") if is_plain else "")
                sizes.append(ImageOps.exif_transpose(picture).size if turned else picture.size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise BadFrames(f"{path.name} is no JPEG, PNG or WebP that can be read. Send it again.") from error
        if max(sizes[-1]) > LONGEST_SIDE:
            raise BadFrames(f"{path.name} has more than {LONGEST_SIDE:,} pixels on a side. Make the pictures smaller.")
    return (codecs.pop() or "png") if len(codecs) == 1 else "png", sizes


def _encoded(pictures: Sequence[Path], codec: str) -> Iterator[bytes]:
    """The bytes of each picture in the film's codec."""
    for path in pictures:
        data = path.read_bytes()
        if codec == "mjpeg" or (data[:4] == b"\x89PNG" and not _is_turned(data)):
            yield data
            continue
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as picture:
                upright = ImageOps.exif_transpose(picture).convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise BadFrames(f"{path.name} is damaged. Send it again.") from error
        written = io.BytesIO()
        upright.save(written, "PNG", compress_level=1)
        yield written.getvalue()


def _is_turned(data: bytes) -> bool:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        return picture.getexif().get(_ORIENTATION, 1) != 1


def main() -> int:
    """A JSON line of stdin for each film: {pictures, target, fps}; prints {problem, other_sizes} for each.

    With {film, target, fps} the film is written again with another rate.

    Its argument is how large a film may be, in bytes.
    """
    limits.apply(memory_bytes=MEMORY_BYTES, file_bytes=int(sys.argv[1]))
    gc.freeze()
    for line in sys.stdin:
        limits.allow_cpu(CPU_S)
        request: dict[str, Any] = json.loads(line)
        answer: dict[str, Any] = {"problem": "", "other_sizes": 0}
        try:
            if "film" in request:
                copy_film(Path(request["film"]), Path(request["target"]), float(request["fps"]))
            pictures = [Path(name) for name in request.get("pictures", ())]
            answer["other_sizes"] = pictures and make_film(pictures, Path(request["target"]), float(request["fps"]))
        except BadFrames as error:
            answer["problem"] = str(error)
        except (OSError, MemoryError, ValueError, av.error.FFmpegError):
            answer["problem"] = "Its pictures make too large a film, or cannot be written as one."
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
