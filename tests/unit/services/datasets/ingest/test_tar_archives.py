"""Tars that strangers made: plain ones and gzipped ones are unpacked, everything that reaches outside is refused."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.tar_archives import is_tar, unpack_tar


def entry(
    name: str, data: bytes = b"film", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data) if kind == tarfile.REGTYPE else 0
    return info, data


def packed(*entries: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return buffer.getvalue()


def long_header() -> bytes:
    """A header that says its name is 2 GB long."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**31
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_files_come_out_and_litter_stays(tmp_path: Path, mode: str) -> None:
    source, target = tmp_path / "a.tar", tmp_path / "out"
    target.mkdir()
    source.write_bytes(packed(entry("cat/a.mp4"), entry("cat/._a.mp4"), entry("dog/b.mp4", b"dog"), mode=mode))
    assert unpack_tar(source, target, 10**6, "a.tar") == 2
    assert {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*.mp4")} == {
        "cat/a.mp4": b"film",
        "dog/b.mp4": b"dog",
    }


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (packed(), "is empty"),
    "up": (packed(entry("../a.mp4")), "points outside"),
    "up inside": (packed(entry("a/../../a.mp4")), "points outside"),
    "absolute": (packed(entry("/etc/a.mp4")), "points outside"),
    "drive": (packed(entry("C:\\a.mp4")), "points outside"),
    "symlink": (packed(entry("a.mp4", kind=tarfile.SYMTYPE, link="/etc/passwd")), "holds a link"),
    "hard link": (packed(entry("a.mp4", kind=tarfile.LNKTYPE, link="../x")), "holds a link"),
    "device": (packed(entry("a.mp4", kind=tarfile.CHRTYPE)), "no plain file"),
    "pipe": (packed(entry("a.mp4", kind=tarfile.FIFOTYPE)), "no plain file"),
    "bomb": (packed(entry("a.mp4", bytes(20_000_000)), mode="w:gz"), "far more than its own size"),
    "too large": (packed(entry("a.mp4", bytes(2_000_000))), "does not fit"),
    "cut off": (packed(entry("a.mp4", bytes(range(256)) * 400), mode="w:gz")[:-60], "damaged"),
    "no tar": (b"words, not a tar", "not a tar"),
    "gzipped words": (gzip.compress(b"words"), "not a tar"),
    "long header": (long_header(), "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_tar_writes_nothing_outside(tmp_path: Path, name: str) -> None:
    data, sentence = REFUSED[name]
    source, target = tmp_path / "a.tar", tmp_path / "in" / "out"
    target.mkdir(parents=True)
    source.write_bytes(data)
    with pytest.raises(Invalid, match=sentence):
        unpack_tar(source, target, 10**6 if name == "too large" else 10**9, "a.tar")
    assert [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(target)] == [source]


def test_a_tar_is_known_by_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    path.write_bytes(packed(entry("a.mp4")))
    assert is_tar(path, "shard")
    path.write_bytes(b"words")
    assert not is_tar(path, "shard")
    assert is_tar(path, "x.tgz")
