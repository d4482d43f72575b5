"""Tars that strangers made: plain and compressed ones are unpacked, nothing reaches outside."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings
from orchestrator.services.datasets.ingest.tar_archives import unpack_tar


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


def null_byte() -> bytes:
    """A name that no file can have, by a header of pax."""
    info, data = entry("a.mp4")
    info.pax_headers = {"path": "a\0/../../b.mp4", "comment": "a"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue().replace(b"/../../b.mp4", b"/------b.mp4")


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (packed(), "is empty"),
    "up": (packed(entry("../a.mp4")), "points outside"),
    "up inside": (packed(entry("a/../../a.mp4")), "points outside"),
    "absolute": (packed(entry("/etc/a.mp4")), "points outside"),
    "drive": (packed(entry("C:\\a.mp4")), "points outside"),
    "symlink": (packed(entry("a.mp4", kind=tarfile.SYMTYPE, link="/etc/passwd")), "holds only links"),
    "hard link": (packed(entry("a.mp4", kind=tarfile.LNKTYPE, link="../x")), "holds only links"),
    "device": (packed(entry("a.mp4", kind=tarfile.CHRTYPE)), "no plain file"),
    "pipe": (packed(entry("a.mp4", kind=tarfile.FIFOTYPE)), "no plain file"),
    "bomb": (packed(entry("a.mp4", bytes(20_000_000)), mode="w:gz"), "far more than its own size"),
    "too large": (packed(entry("a.mp4", bytes(2_000_000))), "does not fit"),
    "cut off": (packed(entry("a.mp4", bytes(range(256)) * 400), mode="w:gz")[:-60], "damaged"),
    "no tar": (b"words, not a tar", "not a tar"),
    "gzipped words": (gzip.compress(b"words"), "not a tar"),
    "long header": (long_header(), "damaged"),
    "null byte": (null_byte(), "points outside"),
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


def test_a_hard_link_is_the_file_that_it_links_to(tmp_path: Path) -> None:
    source, target, findings = tmp_path / "a.tar", tmp_path / "out", ArchiveFindings()
    target.mkdir()
    inside = entry("cat/b.mp4", kind=tarfile.LNKTYPE, link="./cat/a.mp4")
    outside = entry("cat/c.mp4", kind=tarfile.LNKTYPE, link="../../secret")
    source.write_bytes(packed(entry("cat/a.mp4", b"cat"), inside, outside))
    assert unpack_tar(source, target, 10**6, "a.tar", findings) == 2
    assert (target / "cat/b.mp4").read_bytes() == b"cat"
    assert not (target / "cat/c.mp4").exists()
    assert findings.notes == ["The link cat/c.mp4 in a.tar is left out. To use it, pack the file itself."]


def test_symlinks_are_left_out_and_counted(tmp_path: Path) -> None:
    source, target, findings = tmp_path / "a.tar", tmp_path / "out", ArchiveFindings()
    target.mkdir()
    links = [entry(name, kind=tarfile.SYMTYPE, link="/etc/passwd") for name in ("README", "b.mp4")]
    source.write_bytes(packed(entry("a.mp4"), *links))
    assert unpack_tar(source, target, 10**6, "a.tar", findings) == 1
    assert [path.name for path in target.iterdir()] == ["a.mp4"]
    assert "2 links in a.tar are left out (the first is README)" in findings.notes[0]


def test_a_tar_with_latin_1_names(tmp_path: Path) -> None:
    source, target, findings = tmp_path / "a.tar", tmp_path / "out", ArchiveFindings()
    target.mkdir()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", encoding="latin-1", format=tarfile.GNU_FORMAT) as archive:
        info, data = entry("Gr\u00fcn/a.mp4")
        archive.addfile(info, io.BytesIO(data))
    source.write_bytes(buffer.getvalue())
    assert unpack_tar(source, target, 10**6, "a.tar", findings) == 1
    assert (target / "Gr\u00fcn" / "a.mp4").is_file()
    assert "read as Windows Latin" in findings.notes[0]


@pytest.mark.parametrize("mode", ["w:xz", "w:bz2"])
def test_xz_and_bzip2(tmp_path: Path, mode: str) -> None:
    source, target = tmp_path / "a.tar", tmp_path / "out"
    target.mkdir()
    data = packed(entry("a.mp4", bytes(range(256)) * 4_000), mode=mode)
    source.write_bytes(data)
    assert unpack_tar(source, target, 10**7, "a.tar") == 1
    assert (target / "a.mp4").read_bytes() == bytes(range(256)) * 4_000
    source.write_bytes(data[:-40])
    with pytest.raises(Invalid, match="damaged"):
        unpack_tar(source, target, 10**7, "a.tar")
    source.write_bytes(packed(entry("a.mp4", bytes(40_000_000)), mode=mode))
    with pytest.raises(Invalid, match="far more than its own size"):
        unpack_tar(source, target, 10**9, "a.tar")


def test_damage_between_files_is_not_taken_for_the_end(tmp_path: Path) -> None:
    source, target = tmp_path / "a.tar", tmp_path / "out"
    target.mkdir()
    data = bytearray(packed(entry("a.mp4"), entry("b.mp4")))
    data[1024 + 148 : 1024 + 156] = b"garbage!"  # the checksum of the second header
    source.write_bytes(data)
    with pytest.raises(Invalid, match="damaged"):
        unpack_tar(source, target, 10**6, "a.tar")


def test_concatenated_tars_are_read_to_the_last(tmp_path: Path) -> None:
    source, target = tmp_path / "a.tar", tmp_path / "out"
    target.mkdir()
    source.write_bytes(packed(entry("a.mp4")) + packed(entry("b.mp4")))
    assert unpack_tar(source, target, 10**6, "a.tar") == 2
