"""Archives in parts, inside archives and of other kinds, through the whole import."""

import bz2
import gzip
import io
import lzma
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest import open_archives, pipeline
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings
from orchestrator.services.datasets.ingest.archive_parts import PartFiles
from orchestrator.services.datasets.ingest.decompression import zstd
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.db import session_scope
from tests.fakes.uploads import uploaded_dataset, zipped
from tests.unit.services.datasets.ingest.test_pipeline import GOOD, clips, fake_probe


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def cut(data: bytes, *names: str) -> dict[str, bytes]:
    """The bytes of one file as parts of the same size."""
    size = -(-len(data) // len(names))
    return {name: data[number * size : (number + 1) * size] for number, name in enumerate(names)}


def imported(ada: Actor, files: dict[str, bytes], task: Task = Task.CLASSIFICATION) -> Dataset:
    dataset_id = uploaded_dataset(ada, files, task)
    ingest_dataset(dataset_id, fake_probe)
    with session_scope() as session:
        return session.get_one(Dataset, dataset_id)


ZIP, TAR = zipped(clips(GOOD)), tarred(clips(GOOD))
READ: dict[str, dict[str, bytes]] = {
    "numbered parts": cut(ZIP, "v.zip.001", "v.zip.002", "v.zip.003"),
    "parts of split": cut(gzip.compress(TAR), "all.tar.gz.part-aa", "all.tar.gz.part-ab"),
    "parts of split without a word": cut(TAR, "all.taraa", "all.tarab", "all.tarac"),
    "parts of split without an ending": cut(gzip.compress(TAR), "clips.part-aa", "clips.part-ab"),
    "parts with the names that split gives": cut(TAR, "xaa", "xab", "xac"),
    "parts in a zip": {"outer.zip": zipped(cut(ZIP, "x/v.zip.001", "x/v.zip.002"))},
    "zip in zip": {"outer.zip": zipped({"cls.zip": ZIP})},
    "zip in zip in zip": {"a.zip": zipped({"b.zip": zipped({"c.zip": ZIP})})},
    "a zip for each class": {
        "a.zip": zipped(
            {f"{label}.zip": zipped(clips([f"{i}{label}.mp4" for i in range(3)])) for label in ("left", "right")}
        )
    },
    "zip in tar": {"a.tar": tarred({"cls.zip": ZIP})},
    "tar.xz in zip": {"a.zip": zipped({"cls.tar.xz": lzma.compress(TAR)})},
    "tar.bz2": {"a.tar.bz2": bz2.compress(TAR)},
    "tar that is called zip": {"a.zip": TAR},
    "zip that is called tar": {"a.tar": ZIP},
    "compressed tar without an ending": {"download": gzip.compress(TAR)},
    "a tar whose last member is a zip": {
        "a.tar": tarred(clips(GOOD) | {"z.zip": zipped({"readme_first.txt": b"hello"})})
    },
}


@pytest.mark.parametrize("name", READ)
def test_an_archive_is_read(ada: Actor, name: str) -> None:
    dataset = imported(ada, READ[name])
    assert (dataset.error, dataset.clip_count, dataset.bad_count) == ("", 6, 0)
    assert dataset.class_names == ["left", "right"]


def matryoshka(depth: int) -> bytes:
    data = ZIP
    for number in range(depth):
        data = zipped({f"{number}.zip": data})
    return data


def hollow(depth: int) -> bytes:
    """Zips inside zips: each grows little, all together grow a thousandfold."""
    data = zipped({"a.mp4": bytes(1_000_000)})
    return zipped({f"{number}.zip": data for number in range(200)}) if depth else data


REFUSED: dict[str, tuple[Callable[[], dict[str, bytes]], list[str]]] = {
    "a part is missing in the middle": (
        lambda: {n: d for n, d in cut(ZIP, "v.zip.001", "v.zip.002", "v.zip.003").items() if "002" not in n},
        ["part between 001 and 003 is missing", "parts of one archive", "cat v.zip?* > joined-v.zip"],
    ),
    "the first part is missing": (
        lambda: {"all.tar.gz.part-ab": b"x" * 900},
        ["the first part is missing", "Upload all parts together"],
    ),
    "the last part is missing": (
        lambda: dict(list(cut(ZIP, "v.zip.001", "v.zip.002", "v.zip.003").items())[:2]),
        ["joined from 2 parts", "a part may be missing", "cat v.zip?*"],
    ),
    "the last disk is missing": (
        lambda: {"s.z01": ZIP},
        ["s.zip, the last part, is missing", "zip -s 0 s.zip --out joined.zip"],
    ),
    "7z in parts": (
        lambda: cut(b"7z\xbc\xaf\x27\x1c" + bytes(900), "v.7z.001", "v.7z.002"),
        ["v.7z is a 7z archive"],
    ),
    "7z in zip": (
        lambda: {"a.zip": zipped({"cls.7z": b"7z\xbc\xaf\x27\x1c" + bytes(900)})},
        ["cls.7z is a 7z archive"],
    ),
    "rar": (lambda: {"a.rar": b"Rar!\x1a\x07\x01" + bytes(900)}, ["a.rar is a rar archive"]),
    "zst": (lambda: {"a.tar.zst": b"\x28\xb5\x2f\xfd" + bytes(900)}, ["a.tar.zst is not a tar, or it is damaged"]),
    "too deep": (lambda: {"a.zip": matryoshka(5)}, ["is an archive in 3 others. Unpack it"]),
    "damaged inside": (lambda: {"a.zip": zipped({"b.zip": ZIP[:-60]})}, ["b.zip is not a zip, or it is damaged"]),
    "damaged gz": (lambda: {"m.csv.gz": gzip.compress(b"a,b" * 99)[:-9]}, ["m.csv.gz is damaged"]),
    "a bomb of zips": (lambda: {"a.zip": hollow(1)}, ["far more than its own size allows"]),
    "a bomb of one table": (
        lambda: {"a.zip": zipped({"m.csv.gz": gzip.compress(bytes(60_000_000))})},
        ["m.csv.gz unpacks to far more than its own size allows"],
    ),
    "a bomb of zstd": (
        lambda: {"m.csv.zst": zstd.compress(bytes(60_000_000))},
        ["m.csv.zst unpacks to far more than its own size allows"],
    ),
    "out of the folder": (lambda: {"a.zip": zipped({"b.zip": zipped({"../x.mp4": b"x"})})}, ["points outside"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_is_refused_at_once_and_leaves_nothing(ada: Actor, name: str) -> None:
    files, sentences = REFUSED[name]
    dataset = imported(ada, files())
    assert dataset.status == "error"
    assert [part for part in sentences if part not in dataset.error] == [], dataset.error
    assert dataset.id is not None
    assert [path for path in dataset_folder(dataset.id).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_compressed_table_is_read(ada: Actor, packed: Callable[[bytes], bytes]) -> None:
    table = packed(b"file_name,caption\n0.mp4,A red thing\n1.mp4,A blue thing\n")
    ending = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz", zstd.compress: "zst"}[packed]
    files = clips(["0.mp4", "1.mp4"]) | {f"metadata.csv.{ending}": table}
    for uploads in (files, {"all.zip": zipped(files)}):
        dataset = imported(ada, uploads, Task.CAPTIONING)
        assert (dataset.error, dataset.clip_count, dataset.bad_count) == ("", 2, 0)
        with session_scope() as session:
            found = session.exec(select(Clip.caption).where(Clip.dataset_id == dataset.id).order_by(Clip.name)).all()
            assert found == ["A red thing", "A blue thing"]
            session.delete(session.get_one(Dataset, dataset.id))


def test_a_crash_of_an_archive_reader_is_one_sentence(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> int:
        raise RuntimeError("boom")

    monkeypatch.setattr(open_archives, "unpack", crash)
    dataset = imported(ada, {"a.zip": ZIP})
    assert dataset.status == "error"
    assert "a.zip cannot be read" in dataset.error


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), KeyError("x")])
def test_a_crash_of_a_layout_is_one_sentence(ada: Actor, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def crash(*_: object) -> None:
        raise error

    monkeypatch.setattr(pipeline, "detect_layout", crash)
    dataset = imported(ada, {"a.zip": ZIP})
    assert dataset.status == "error"
    assert "none was imported" in dataset.error


def changed_at_random(data: bytes, chance: random.Random) -> bytes:
    """An archive with some bytes replaced, repeated or cut off."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 8])):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at:at] = changed[chance.randrange(len(changed)) :][: chance.randrange(1, 600)]
            case 1:
                changed = changed[: max(8, at)]
            case _:
                changed[at] = chance.choice([0, 255, chance.randrange(256)])
    return bytes(changed)


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_is_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """No other error, not even one that is caught and logged; and nothing is written outside."""
    crashes: list[object] = []
    sentences: list[str] = []
    monkeypatch.setattr(open_archives.log, "exception", lambda *given, **more: crashes.append((given, more)))
    chance = random.Random(seed)
    seeds = [ZIP, TAR, gzip.compress(TAR), bz2.compress(TAR), lzma.compress(TAR), zipped({"a.zip": ZIP, "b.tar": TAR})]
    for number in range(40):
        upload, target = tmp_path / "upload", tmp_path / "in" / str(number)
        upload.write_bytes(changed_at_random(chance.choice(seeds), chance))
        target.mkdir(parents=True)
        try:
            name = chance.choice(["a.zip", "a.tar", "a.tar.gz", "a"])
            open_archives.open_archive(PartFiles([upload]), name, target, target, 10**8, ArchiveFindings())
            open_archives.open_nested(target, upload.stat().st_size, 10**8, ArchiveFindings())
        except Invalid as refused:
            sentences.append(refused.message)
    assert crashes == []
    assert sentences
    assert all(sentence.strip() for sentence in sentences)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "upload"]
