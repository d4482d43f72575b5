"""Random archives: each file comes out under its name with its bytes, or a sentence says why not."""

import io
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest import open_archives
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings
from orchestrator.services.datasets.ingest.archive_parts import PartFiles, group_parts
from tests.fuzzing import examples

WORDS = {
    "utf-8": ("Grün", "狗", "кошка", "été", "cat", "고양이", "😀", "ねこ"),
    "cp437": ("Grün", "café", "Bär", "niño", "cat", "Übung"),
    "cp1252": ("Grün", "café", "Bär", "niño", "naïve", "cat"),
    "cp932": ("動画", "走る", "ねこ", "犬の散歩", "cat"),
    "gb18030": ("视频", "跑步", "小狗", "吃饭", "cat"),
    "cp866": ("бег", "кошка", "собака", "видео", "cat"),
    "cp949": ("고양이", "달리기", "강아지", "걷기", "cat"),
}
LIMIT = 10**7
ODD_NAMES = ("a b", "a.b", "con", "nul.txt", "x ", "x.", "-x", "#1", "'q'", "%20", "a&b", "~", "*", "?", "a:b")
"""Names that other systems do not allow, or that mean something to a shell."""


class RawName(zipfile.ZipInfo):
    """An entry whose name is written as these bytes, without the mark of UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.raw, self.flag_bits & ~0x800


def zip_of(files: dict[str, bytes], encoding: str, mark: str, method: int) -> bytes:
    """A zip whose names are in an encoding; `mark`: how it says so ("flag", "extra" or "")."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            if mark == "flag":
                archive.writestr(name, data, method)
                continue
            entry = RawName(name)
            entry.raw = name.encode(encoding)
            if mark == "extra" and not name.isascii():
                field = b"\x01" + struct.pack("<I", zlib.crc32(entry.raw)) + name.encode()
                entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
            archive.writestr(entry, data, method)
    return buffer.getvalue()


def tar_of(files: dict[str, bytes], encoding: str, mode: str, form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form, encoding=encoding) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def unpacked(uploads: dict[str, bytes]) -> tuple[dict[str, bytes], ArchiveFindings]:
    """The files of some uploads as they are staged, and what is said about them."""
    with tempfile.TemporaryDirectory() as folder:
        arrived, staging = Path(folder) / "arrived", Path(folder) / "staging"
        arrived.mkdir()
        staging.mkdir()
        paths = {name: arrived / str(number) for number, name in enumerate(uploads)}
        for name, data in uploads.items():
            paths[name].write_bytes(data)
        findings, in_parts = ArchiveFindings(), set[str]()
        for base, members in group_parts(uploads).items():
            parts = {name: paths[name] for name in members}
            if open_archives.open_part_set(base, parts, staging, LIMIT, findings) is not None:
                in_parts |= set(members)
        for name, path in paths.items():
            if name not in in_parts:
                opened = open_archives.open_archive(PartFiles([path]), name, staging, staging, LIMIT, findings)
                assert opened is not None
        open_archives.open_nested(staging, sum(map(len, uploads.values())), LIMIT, findings)
        files = [path for path in staging.rglob("*") if path.is_file()]
        return {path.relative_to(staging).as_posix(): path.read_bytes() for path in files}, findings


@st.composite
def trees(draw: st.DrawFn, words: tuple[str, ...]) -> dict[str, bytes]:
    """Files with different bytes, in folders."""
    folders = st.lists(st.sampled_from(words), max_size=2).map("/".join)
    stems = st.sampled_from(words) | st.integers(0, 99).map(str)
    names = draw(
        st.lists(
            st.tuples(folders, stems).map(lambda parts: f"{parts[0]}/{parts[1]}.mp4".lstrip("/")),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    return {name: f"film {number} ".encode() * draw(st.integers(1, 300)) for number, name in enumerate(names)}


@examples(30)
@given(st.sampled_from(sorted(WORDS)), st.sampled_from(["flag", "extra", ""]), st.data())
def test_names_of_a_zip(encoding: str, mark: str, data: st.DataObject) -> None:
    files = data.draw(trees(WORDS[encoding]))
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
    found, findings = unpacked({"clips.zip": zip_of(files, encoding, mark, method)})
    check_names(files, found, findings, is_stated=bool(mark) or encoding == "utf-8")


@examples(20)
@given(
    st.sampled_from(["utf-8", "cp1252", "cp932", "gb18030", "cp949"]),
    st.sampled_from(["w", "w:gz", "w:xz", "w:bz2"]),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT]),
    st.data(),
)
def test_names_of_a_tar(encoding: str, mode: str, form: int, data: st.DataObject) -> None:
    files = data.draw(trees(WORDS[encoding]))
    name = {"w": "c.tar", "w:gz": "c.tgz", "w:xz": "c.tar.xz", "w:bz2": "c.tar.bz2"}[mode]
    found, findings = unpacked({name: tar_of(files, encoding, mode, form)})
    check_names(files, found, findings, is_stated=encoding == "utf-8" or form == tarfile.PAX_FORMAT)


def check_names(files: dict[str, bytes], found: dict[str, bytes], findings: ArchiveFindings, is_stated: bool) -> None:
    """The bytes are all there; names that had to be guessed are right, or it is said that they were guessed."""
    assert sorted(found.values()) == sorted(files.values())
    if found != files:
        assert not is_stated
        assert any("does not say the encoding of its names" in note for note in findings.notes)


@examples(20)
@given(st.lists(st.sampled_from(ODD_NAMES), min_size=1, max_size=5, unique=True), st.booleans(), st.booleans())
def test_names_that_other_systems_do_not_allow(stems: list[str], is_tar: bool, backslash: bool) -> None:
    files = {f"cat/{stem}.mp4": stem.encode() for stem in stems}
    stated = {name.replace("/", "\\") if backslash else f"./{name}": data for name, data in files.items()}
    archive = tar_of(stated, "utf-8", "w", tarfile.GNU_FORMAT) if is_tar else zip_of(stated, "utf-8", "flag", 8)
    found, _ = unpacked({"c.tar" if is_tar else "c.zip": archive})
    assert found == files


@pytest.mark.parametrize(
    ("names", "stated"), [(("a", "a/0.mp4"), ": a. "), (("cat/" + "x" * 300 + ".mp4",), "xxx.mp4. ")]
)
def test_a_name_that_cannot_be_written_is_named(names: tuple[str, ...], stated: str) -> None:
    archive = zip_of(dict.fromkeys(names, b"film"), "utf-8", "flag", zipfile.ZIP_STORED)
    with pytest.raises(Invalid, match=r"c\.zip holds a name that cannot be written here") as refused:
        unpacked({"c.zip": archive})
    assert stated in refused.value.message


@examples(20)
@given(st.data())
def test_archives_inside_of_archives(data: st.DataObject) -> None:
    """Whatever is packed inside of what, all films come out, with the bytes that they had."""
    expected: list[bytes] = []
    count = 0

    def packed(depth: int) -> tuple[str, bytes]:
        nonlocal count
        members: dict[str, bytes] = {}
        for number in range(data.draw(st.integers(1, 3))):
            count += 1
            film = f"film {count} ".encode() * data.draw(st.integers(1, 200))
            members[f"{data.draw(st.sampled_from(['', 'cat/', 'dog/', 'a b/']))}{number}.mp4"] = film
            expected.append(film)
        if depth:
            for _ in range(data.draw(st.integers(0, 2))):
                name, inner = packed(depth - 1)
                members[f"{data.draw(st.sampled_from(['', 'cat/', 'parts/']))}{name}"] = inner
        kind = data.draw(st.sampled_from(["zip", "tar", "tgz", "tar.xz"]))
        count += 1
        name = f"{data.draw(st.sampled_from(['c', 'my clips', 'v1.0', 'cat']))}{count}.{kind}"
        if kind == "zip":
            return name, zip_of(members, "utf-8", "flag", data.draw(st.sampled_from([0, 8])))
        mode = {"tar": "w", "tgz": "w:gz", "tar.xz": "w:xz"}[kind]
        return name, tar_of(members, "utf-8", mode, tarfile.GNU_FORMAT)

    found, _ = unpacked(dict([packed(2)]))
    assert sorted(found.values()) == sorted(expected)


PART_NAMES = {
    "{base}.{number:03}": 1,
    "{base}.part{number}": 1,
    "{base}.part{number:02}": 1,
    "{base}.part-{letters}": 0,
    "{base}{letters}": 0,
    "{base}.{letters}": 0,
    "{base}_{number:02}": 0,
    "x{letters}": 0,
}


@examples(20)
@given(st.sampled_from(["c.zip", "c.tar", "c.tar.gz", "c.tgz"]), st.sampled_from(sorted(PART_NAMES)), st.data())
def test_archives_in_parts(base: str, names: str, data: st.DataObject) -> None:
    """The parts are joined in their order, however they came and wherever they were cut."""
    files = data.draw(trees(("cat", "dog", "a b")))
    archive = (
        zip_of(files, "utf-8", "flag", data.draw(st.sampled_from([0, 8])))
        if base.endswith("zip")
        else tar_of(files, "utf-8", "w" if base.endswith("tar") else "w:gz", tarfile.GNU_FORMAT)
    )
    parts = data.draw(st.integers(2, 12))
    size = -(-len(archive) // parts)
    pieces = [archive[at : at + size] for at in range(0, len(archive), size)]
    first = PART_NAMES[names]
    uploads = {
        names.format(base=base, number=number + first, letters=chr(97 + number // 26) + chr(97 + number % 26)): piece
        for number, piece in enumerate(pieces)
    }
    order = data.draw(st.permutations(sorted(uploads)))
    found, _ = unpacked({name: uploads[name] for name in order})
    assert found == files
