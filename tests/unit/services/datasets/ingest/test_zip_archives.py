"""Zips as many programs write them: names of any encoding, links, several disks, unusual methods."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import inflate64
import pytest

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings
from orchestrator.services.datasets.ingest.archive_parts import PartFiles
from orchestrator.services.datasets.ingest.zip_archives import unpack
from tests.fakes.uploads import zipped


def unpacked(tmp_path: Path, data: bytes, findings: ArchiveFindings | None = None) -> dict[str, bytes]:
    (tmp_path / "a.zip").write_bytes(data)
    target = tmp_path / "out"
    target.mkdir()
    unpack(tmp_path / "a.zip", target, 10**7, "a.zip", findings)
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def named(*names: bytes) -> bytes:
    """A zip with these bytes as names, without the flag that says UTF-8."""
    stand_ins = {f"{number:0{len(name)}d}": name for number, name in enumerate(names)}
    data = zipped(dict.fromkeys(stand_ins, b"x"))
    for stand_in, name in stand_ins.items():
        data = data.replace(stand_in.encode(), name)
    return data


@pytest.mark.parametrize(
    ("name", "encoding", "told"),
    [
        ("Grün/Füße.mp4", "utf-8", ""),
        ("Grün/Füße.mp4", "cp437", "DOS Latin"),
        ("Grün/Öl.mp4", "cp1252", "Windows Latin"),
        ("犬/散歩している.mp4", "cp932", "Shift-JIS"),
        ("跑步/一个人在跑.mp4", "gbk", "GBK"),
        ("Собака/Прогулка.mp4", "cp866", "Cyrillic"),
    ],
)
def test_names_are_read_in_their_encoding(tmp_path: Path, name: str, encoding: str, told: str) -> None:
    findings = ArchiveFindings()
    assert list(unpacked(tmp_path, named(name.encode(encoding)), findings)) == [name]
    assert [note for note in findings.notes if told in note] == findings.notes
    assert len(findings.notes) == bool(told)


def test_the_extra_field_with_the_name_in_utf_8_counts(tmp_path: Path) -> None:
    raw = b"Gr_n.mp4".replace(b"_", b"\x81")
    stated = "Grün.mp4".encode()
    info = zipfile.ZipInfo("0_n0.mp4")
    field = b"\x01" + struct.pack("<I", zipfile.crc32(raw)) + stated  # type: ignore[attr-defined]
    info.extra = struct.pack("<HH", 0x7075, len(field)) + field
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, b"x")
    findings = ArchiveFindings()
    assert list(unpacked(tmp_path, buffer.getvalue().replace(b"0_n0.mp4", raw), findings)) == ["Grün.mp4"]
    assert findings.notes == []


def test_links_are_left_out_and_never_followed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("cat/0.mp4", b"film")
        link = zipfile.ZipInfo("cat/link.mp4")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    findings = ArchiveFindings()
    assert unpacked(tmp_path, buffer.getvalue(), findings) == {"cat/0.mp4": b"film"}
    assert findings.notes == ["The link cat/link.mp4 in a.zip is left out. To use it, pack the file itself."]


@pytest.mark.parametrize(("method", "title"), [(93, "zstd"), (98, "PPMd"), (77, "method 77")])
def test_an_unknown_method_is_named(tmp_path: Path, method: int, title: str) -> None:
    data = bytearray(zipped({"a/0.mp4": b"film"}))
    index = data.index(b"PK\x01\x02")
    data[8:10] = data[index + 10 : index + 12] = struct.pack("<H", method)
    with pytest.raises(Invalid, match=rf"compressed with {title}.*not damaged.*tar -czf"):
        unpacked(tmp_path, bytes(data))


def test_a_zip_with_several_disks(tmp_path: Path) -> None:
    """As `zip -s` writes it: offsets count from the start of each disk, and each entry names its disk."""
    whole = bytearray(zipped({"cat/0.mp4": bytes(range(256)), "dog/0.mp4": b"dog" * 50}))
    second, index = whole.rindex(b"PK\x03\x04"), whole.index(b"PK\x01\x02")
    at = whole.rindex(b"PK\x01\x02")
    whole[at + 34 : at + 36] = struct.pack("<H", 1)  # the disk of the second file
    whole[at + 42 : at + 46] = struct.pack("<I", 0)
    end = whole.rindex(b"PK\x05\x06")
    whole[end + 4 : end + 8] = struct.pack("<HH", 1, 1)
    whole[end + 16 : end + 20] = struct.pack("<I", index - second)
    paths = [tmp_path / "a.z01", tmp_path / "a.zip"]
    paths[0].write_bytes(whole[:second])
    paths[1].write_bytes(whole[second:])
    target = tmp_path / "out"
    target.mkdir()
    assert unpack(PartFiles(paths), target, 10**6, "a.zip") == 2
    assert (target / "cat/0.mp4").read_bytes() == bytes(range(256))
    assert (target / "dog/0.mp4").read_bytes() == b"dog" * 50
    with pytest.raises(Invalid, match=r"last of 2 parts.*a\.z01.*zip -s 0 a\.zip"):
        unpack(paths[1], target, 10**6, "a.zip")


def deflate64_zip(data: bytes) -> bytearray:
    """A zip with one member that is compressed with Deflate64."""
    deflater = inflate64.Deflater()
    packed = deflater.deflate(data) + deflater.flush()
    zipped_file = bytearray(zipped({"cat/0.mp4": b""}))
    index = zipped_file.index(b"PK\x01\x02")
    local, central = bytearray(zipped_file[:index]), bytearray(zipped_file[index:])
    sizes = struct.pack("<III", zlib.crc32(data), len(packed), len(data))
    end = central.index(b"PK\x05\x06")
    name = local.index(b"cat/0.mp4")
    local = local[: name + len(b"cat/0.mp4")]
    local[8:10], local[14:26] = struct.pack("<H", 9), sizes
    central[10:12], central[16:28] = struct.pack("<H", 9), sizes
    central[end + 16 : end + 20] = struct.pack("<I", len(local) + len(packed))
    return local + packed + central


@pytest.mark.parametrize("data", [b"film" * 50_000, bytes(range(256)) * 300, b"x"])
def test_deflate64_is_read(tmp_path: Path, data: bytes) -> None:
    assert unpacked(tmp_path, bytes(deflate64_zip(data))) == {"cat/0.mp4": data}


def test_damaged_deflate64_is_refused(tmp_path: Path) -> None:
    whole = deflate64_zip(bytes(range(256)) * 300)
    whole[60] ^= 0x55
    with pytest.raises(Invalid, match=r"a\.zip is damaged"):
        unpacked(tmp_path, bytes(whole))
