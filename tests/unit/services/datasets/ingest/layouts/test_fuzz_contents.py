"""Random files under random names: what a file holds decides whether it is a film."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.services.datasets.ingest.layouts.tree import Tree
from tests.fuzzing import examples

_PACKET = b"G" + bytes(187)
FILMS = {
    "mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(64),
    "3gp": b"\x00\x00\x00\x1cftyp3gp4" + bytes(64),
    "mov": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  \x00\x00\x00\x08wide" + bytes(64),
    "old mov": b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat" + bytes(64),
    "mov with its index first": b"\x00\x00\x10\x00moov\x00\x00\x00\x6cmvhd" + bytes(64),
    "mov that begins with free space": b"\x00\x00\x00\x08free\x00\x00\x10\x00mdat" + bytes(64),
    "mov that begins with skipped bytes": b"\x00\x00\x00\x10skip" + bytes(72),
    "mov with a preview": b"\x00\x00\x00\x14pnot" + bytes(80),
    "matroska": b"\x1aE\xdf\xa3\xa3B\x86\x81\x01matroska" + bytes(64),
    "avi": b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(64),
    "flv": b"FLV\x01\x05\x00\x00\x00\x09" + bytes(64),
    "asf": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(64),
    "theora": b"OggS\x00\x02" + bytes(22) + b"\x80theora" + bytes(64),
    "transport stream": _PACKET * 6,
    "transport stream of a disc": (bytes(4) + _PACKET) * 6,
    "transport stream of a receiver": (_PACKET + bytes(16)) * 6,
    "program stream": b"\x00\x00\x01\xba\x44" + bytes(64),
    "mpeg-2": b"\x00\x00\x01\xb3\x14\x00\xf0" + bytes(64),
    "h264": b"\x00\x00\x00\x01\x67\x42\x00\x1e" + bytes(64),
    "hevc": b"\x00\x00\x00\x01\x40\x01\x0c\x01" + bytes(64),
    "ivf": b"DKIF\x00\x00\x20\x00VP80" + bytes(64),
    "y4m": b"YUV4MPEG2 W64 H48 F25:1\n" + bytes(64),
    "mxf": b"\x06\x0e\x2b\x34\x02\x05\x01\x01" + bytes(64),
    "gif": b"GIF89a\x20\x00\x20\x00" + bytes(64),
}
OTHERS = {
    "nothing": b"",
    "zeros": bytes(600),
    "text": b"path label\nclip 1\n",
    "letters": b"G" * 10 + b"lobal notes of the project\n" * 30,
    "json": b'{"a": 1}',
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(64),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "webp": b"RIFF\x00\x10\x00\x00WEBPVP8 " + bytes(64),
    "wave": b"RIFF\x00\x10\x00\x00WAVEfmt " + bytes(64),
    "mp3": b"ID3\x04" + bytes(64),
    "heic": b"\x00\x00\x00\x18ftypheic" + bytes(64),
    "avif": b"\x00\x00\x00\x18ftypavif" + bytes(64),
    "m4a": b"\x00\x00\x00\x18ftypM4A " + bytes(64),
    "vorbis": b"OggS\x00\x02" + bytes(22) + b"\x01vorbis" + bytes(64),
    "pdf": b"%PDF-1.7\n" + bytes(64),
    "program": b"\x7fELF\x02\x01\x01" + bytes(64),
}
STEMS = ("0", "b9bb81", "clip 1", "video", "movie.final", "été", ".hidden")
ENDINGS = ("", ".dat", ".bin", ".film", ".MP4_", ".1", ".mp4 ", ".tmp", ".download", ".jpg", ".pdf", ".so")


@examples(30)
@given(
    st.lists(
        st.tuples(st.sampled_from(STEMS), st.sampled_from(ENDINGS), st.sampled_from(sorted(FILMS | OTHERS))),
        min_size=1,
        max_size=6,
        unique_by=lambda file: file[:2],
    )
)
def test_content_decides_what_a_film_is(files: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        names = {f"a/{stem}{ending}": kind for stem, ending, kind in files}
        (Path(folder) / "a").mkdir()
        for name, kind in names.items():
            (Path(folder) / name).write_bytes((FILMS | OTHERS)[kind])
        assert set(Tree(Path(folder), names).videos) == {name for name, kind in names.items() if kind in FILMS}
