"""Reads the frames of a film in the order in which players show them, past damage that players get past."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from jobs.video.source import BROKEN, BadClip
from jobs.video.timeline import JUMP_S, StreamClock

_MAX_LOST = 0.1
"""Share of the frames that may be damaged: players get past them, and so do we."""
_SEGMENT = b"\x18\x53\x80\x67"
"""The mark of the segment in Matroska and WebM files: the element that holds the film."""
_MAX_CUT = 0.02
"""Share of the frames whose bytes may be missing at the end of the file."""
_BACK_S = (0.0, 2.0, 10.0, 60.0)
"""How much earlier than a frame the decoder starts, in order, until it finds a key frame before it."""


@dataclass(slots=True)
class Losses:
    """What could not be read.

    Attributes:
        packets: those that the decoder refused, from the first key frame on.
        keyless: those before the first key frame, of which players show nothing.
        ended: whether reading the file failed before its end.
        indexed: frames that the file's index named before it was read.
    """

    packets: int = 0
    keyless: int = 0
    ended: bool = False
    indexed: int = 0


def shown_frames(container: InputContainer, stream: VideoStream, losses: Losses) -> Iterator[VideoFrame]:
    """Decodes from where the container stands to its end, and counts in `losses` what is lost.

    The decoder leaves out what players do not show: frames before the first key frame, and those that an edit list
    hides.
    """
    packets, has_key, losses.indexed = container.demux(stream), False, len(stream.index_entries)
    while True:
        packet = None
        try:
            packet = next(packets, None)
            if packet is None:
                return
            if not has_key and packet.size:
                has_key = packet.is_keyframe
                losses.keyless += not has_key
            for frame in packet.decode():
                yield cast(VideoFrame, frame)
        except BROKEN:
            if packet is None:
                losses.ended = True
                break
            losses.packets += has_key
    try:  # at the regular end an empty packet has flushed the decoder
        yield from stream.decode(None)
    except BROKEN:
        return


@dataclass(frozen=True, slots=True)
class Stamps:
    """The time stamps of the frames that will be shown, in order; None where the file has none.

    Attributes:
        last_duration: how long the last frame is shown, in units of the time base; 0: not known.
    """

    stamps: Sequence[int | None]
    last_duration: int = 0


def stamps_by_packets(container: InputContainer, stream: VideoStream, clock: StreamClock) -> Stamps | None:
    """The frames without decoding them.

    Returns:
        None where only decoding tells: the clock jumps, the file cannot be read to its end, or has no frames. A codec
        may still show fewer frames than these.
    """
    shown: list[tuple[int | None, int]] = []  # not the packets: those of a long film are as large as its file
    keyless, has_key, last, jump = 0, False, None, JUMP_S / float(clock.time_base)
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if clock.jumps and packet.dts is not None:
                if last is not None and not 0 <= packet.dts - last <= jump:
                    return None
                last = packet.dts
            has_key = has_key or packet.is_keyframe
            if not has_key:
                keyless += 1
            elif not packet.is_discard:
                shown.append((packet.pts, packet.duration or 0))
    except BROKEN:
        return None
    if not shown:
        return Stamps([None] * keyless) if keyless else None
    durations = dict(shown)
    stamps = [stamp for stamp in durations if stamp is not None]
    if None in durations:
        return Stamps([None] * len(shown))
    first = stamps[0] if keyless else min(stamps)  # frames shown before the first key frame need those before it
    return Stamps([stamp for stamp in sorted(stamps) if stamp >= first], durations[max(stamps)])


def stamps_by_index(stream: VideoStream, clock: StreamClock) -> Stamps | None:
    """As `stamps_by_packets` at a constant rate, from the index in an MP4's header; None where it does not say it."""
    entries = stream.index_entries
    if not clock.reliable or stream.start_time is None or not stream.frames or len(entries) != stream.frames:
        return None
    times = [entry.timestamp for entry in entries if not entry.is_discard]
    step = times[1] - times[0] if len(times) > 1 else 0
    if step < 1 or not entries[0].is_keyframe or any(b - a != step for a, b in pairwise(times)):
        return None
    return Stamps([stream.start_time + step * i for i in range(len(times))], step)


def frame_at(container: InputContainer, stream: VideoStream, stamp: int, clock: StreamClock) -> VideoFrame | None:
    """Seeks to the frame that is shown at a time stamp: the one with the latest stamp not after it.

    The decoder starts at a key frame whose own stamp is not after it either: frames that follow a key frame in the
    file and are shown before it may need the frames before (open GOP).

    Raises:
        one of `BROKEN`: the file cannot be sought in.
    """
    for back in _BACK_S:
        container.seek(stamp - int(back / clock.time_base), stream=stream)
        frame = _last_until(container, stream, stamp)
        if frame is not None:
            return frame
    container.seek(min(stamp, stream.start_time or 0), stream=stream)
    return _last_until(container, stream, stamp)


def _last_until(container: InputContainer, stream: VideoStream, stamp: int) -> VideoFrame | None:
    found, has_key = None, False
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return found
            if not has_key:
                if packet.size and not packet.is_keyframe:
                    continue
                if packet.pts is None or packet.pts > stamp:
                    return None
                has_key = True
            for decoded in packet.decode():
                if decoded.pts is None or decoded.pts > stamp:
                    return found
                found = cast(VideoFrame, decoded)
                if decoded.pts == stamp:
                    return found
        except BROKEN:
            continue  # a damaged packet, or the end: then there is no next one


def check_end(path: Path, name: str, container: InputContainer, stream: VideoStream) -> int | None:
    """Refuses a file whose header names frames behind its end.

    Returns:
        How many frames to be shown the header of an MP4 names; None for other formats.

    Raises:
        BadClip: more than a few are missing.
    """
    size = os.stat(path).st_size
    if "matroska" in container.format.name:
        there, stated = _segment_bytes(path, size)
        if there < stated * (1 - _MAX_CUT):
            percent = round(100 * there / stated)
            raise BadClip(name, f"is cut off: {percent} % of its bytes are there. Upload it again.")
    if "mp4" not in container.format.name:
        return None
    entries = stream.index_entries
    ends = [entry.pos + entry.size for entry in entries if not entry.is_discard]
    _check_cut(name, sum(end <= size for end in ends), len(ends))
    return len(ends)


def _segment_bytes(path: Path, size: int) -> tuple[int, int]:
    """(bytes that are there, bytes by the header) of the segment of a Matroska or WebM file; (0, 0) without a size."""
    with path.open("rb") as file:
        head = file.read(256)
    at = head.find(_SEGMENT)
    if at < 0 or at + 12 > len(head) or not head[at + 4]:
        return 0, 0
    begin = at + len(_SEGMENT)
    width = 9 - head[begin].bit_length()
    stated = int.from_bytes(head[begin : begin + width], "big") & ((1 << 7 * width) - 1)
    is_unknown = stated == (1 << 7 * width) - 1
    return (0, 0) if is_unknown else (size - begin - width, stated)


def check_losses(path: Path, name: str, stream: VideoStream, decoded: int, losses: Losses) -> None:
    """Refuses a film of which too much cannot be decoded, with what is the matter.

    Args:
        decoded: the frames that could be decoded, from the first to the last.

    Raises:
        BadClip: nothing can be decoded, or the file is cut off or damaged.
    """
    if not decoded:
        raise BadClip(name, "has no picture that can be decoded. Upload it again or as MP4.")
    total = decoded + losses.packets
    is_avi = stream.container.format.name == "avi"
    if is_avi and _is_cut_avi(path):
        _check_cut(name, total, stream.frames)
    # Without its index, an AVI file is searched for frames: what is not found cannot be refused by the decoder.
    if is_avi and losses.indexed < total < stream.frames / 2:
        losses.packets, total = stream.frames - decoded, stream.frames
    if losses.packets > _MAX_LOST * total:
        what = f"is damaged: {losses.packets} of its {total} pictures cannot be decoded."
        raise BadClip(name, f"{what} Upload it again or as MP4.")


def _check_cut(name: str, there: int, total: int) -> None:
    if there < total * (1 - _MAX_CUT):
        raise BadClip(name, f"is cut off: {there} of its {total} frames are there. Upload it again.")


def _is_cut_avi(path: Path) -> bool:
    """Whether an AVI file, whose header counts the frames of the whole film, is shorter than its first chunk says."""
    with path.open("rb") as file:
        head = file.read(12)
    is_riff = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return is_riff and int.from_bytes(head[4:8], "little") + 8 > os.stat(path).st_size
