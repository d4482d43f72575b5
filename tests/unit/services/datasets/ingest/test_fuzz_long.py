"""Whatever bytes, tables, records and archives come: each is read, or refused with a sentence; no reader fails."""

import io
import json
import re
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.domain.errors import AppError
from orchestrator.domain.tasks import Task
from orchestrator.services.datasets.ingest import open_archives
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings
from orchestrator.services.datasets.ingest.archive_parts import PartFiles
from orchestrator.services.datasets.ingest.layouts import detect
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions
from orchestrator.services.datasets.ingest.layouts.summary import summary
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.ingest.review import layout_preview

FEW = settings(
    max_examples=1500,
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
CLIPS = ["v/0.mp4", "v/1.mp4", "cat/2.mp4", "train/3.mp4"]
NAMES = (
    *("x.json", "x.jsonl", "x.ndjson", "x.csv", "x.tsv", "x.txt", "x.lst", "metadata.csv", "metadata.jsonl"),
    *("train_list.txt", "classInd.txt", "classes.txt", "trainlist01.txt", "run_test_split1.txt", "dataset_info.json"),
    *("labels.json", "v/0.json", "v/0.txt", "v/0.cls", "v/0.mp4.txt", "captions/2.txt", "splits/val.txt", "split.json"),
    *("prompts.txt", "videos.txt", "train.txt", "annotations.xml"),
)
WORDS = (
    *("video", "videos", "file_name", "label", "labels", "caption", "captions", "text", "split", "question", "answer"),
    *("messages", "conversations", "role", "from", "content", "value", "user", "assistant", "human", "gpt", "system"),
    *("sentences", "enCap", "videoID", "video_id", "id", "template", "youtube_id", "time_start", "time_end", "start"),
    *("end", "times", "timestamps", "database", "annotations", "segment", "duration", "QA", "q", "a", "i", "data"),
    *("classes", "name", "contentUrl", "videoid", "query", "response", "type", "path", "url", "video_url", "options"),
    *("a0", "a1", "train", "val", "test", "columns", "tags", "file_upload", "choice", "result", "image", "audio"),
)
texts = st.one_of(
    st.sampled_from([*CLIPS, *WORDS, "0", "1", "1.0", "nan", "null", "-1", "1e999", "../../etc/passwd", "0.mp4", "0"]),
    st.text(max_size=12),
    st.text(st.sampled_from('",;\t|\n\r\\ \u2028\u0000\ufeff\ud800{}[]:<video>01.mp4'), max_size=20),
)
numbers = st.one_of(st.integers(-(10**30), 10**30), st.floats())
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(WORDS) | texts, inner, max_size=5)
    ),
    max_leaves=25,
)
records = st.dictionaries(st.sampled_from(WORDS), values, min_size=1, max_size=6)
film_names = st.sampled_from([*CLIPS, ["v/0.mp4"], [CLIPS[0], CLIPS[1]], [["a.jpg"]], {"path": CLIPS[0]}])


@pytest.fixture(autouse=True)
def no_layout_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that a layout did not expect is no answer, although the other layouts are tried."""

    class Log:
        def exception(self, event: str, **_: object) -> None:
            raise AssertionError(event)

    monkeypatch.setattr(detect, "log", Log())


def upload(folder: Path, files: dict[str, bytes]) -> Tree:
    for old in sorted(folder.rglob("*"), reverse=True):
        old.unlink() if old.is_file() else old.rmdir()
    for name, data in (dict.fromkeys(CLIPS, b"") | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return Tree(folder, [*CLIPS, *files])


def check_read(tree: Tree, options: ReadingOptions | None = None) -> None:
    """Reads an upload as the import does, up to the values that are stored."""
    try:
        layout = detect.detect_layout(tree, options)
    except AppError as error:
        check_sentence(error)
        return
    check_storable(summary(layout, tree, options or ReadingOptions()))
    for task in Task:
        check_storable(layout_preview(task, layout))
    check_accounts(tree, layout)


def check_sentence(refusal: AppError) -> None:
    """It ends as a sentence does, or with a command."""
    assert re.fullmatch(r".{10,}[.!)]|.*FOLDER|.*\.zip", refusal.message, re.DOTALL)


def check_storable(value: Any) -> None:
    """PostgreSQL stores neither NUL nor half a surrogate pair, and JSON has no NaN."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert len(text.encode()) < 500_000
    assert "\\u0000" not in text.replace("\\\\", "")


def check_accounts(tree: Tree, layout: DetectedLayout) -> None:
    listed = {entry.name for entry in layout.entries}
    for name in tree.videos:
        assert name in listed or name in layout.files
    for note in layout.notes:
        assert note.endswith((".", "!", "…")) or ":" in note
    assert all(entry.name for entry in layout.entries if not entry.problem)


encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-32"])


@FEW
@given(name=st.sampled_from(NAMES), data=st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, data: bytes) -> None:
    check_read(upload(tmp_path, {name: data}))


@FEW
@given(st.sampled_from(NAMES), st.lists(texts, max_size=12), st.sampled_from("\n \t,;"), encodings)
def test_any_lines(tmp_path: Path, name: str, parts: list[str], separator: str, encoding: str) -> None:
    data = separator.join(parts).encode(encoding, "replace")
    check_read(upload(tmp_path, {name: data, "x.csv": data[: len(data) // 2]}))


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    separator = draw(st.sampled_from(",;\t|"))
    header = draw(st.lists(st.sampled_from(WORDS) | texts, min_size=1, max_size=6))
    rows = draw(st.lists(st.lists(texts | numbers.map(str), max_size=8), max_size=8))
    quoted = draw(st.booleans())
    mark = draw(st.sampled_from(['"', "'", '\\"']))
    huge = draw(st.sampled_from(["", "", "", "x" * 5_000, '"' + "x" * 2**20 + "x" * 10]))
    lines = [header, *rows, [*CLIPS[:1], huge] if huge else []]
    cells = [[f"{mark}{cell}{mark}" if quoted else str(cell) for cell in line] for line in lines]
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return ending.join(separator.join(line) for line in cells).encode(draw(encodings), "replace")


@FEW
@given(st.sampled_from(["metadata.csv", "x.tsv", "train.txt", "x.lst", "x.json"]), tables(), st.data())
def test_any_table(tmp_path: Path, name: str, table: bytes, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from([None, ReadingOptions("videofolder", {"file": "video", "caption": "-"})]))
    check_read(upload(tmp_path, {name: table}), chosen)


@FEW
@given(st.sampled_from(["x.json", "dataset_info.json", "v/0.json", "split.json", "x.txt"]), values, st.booleans())
def test_any_json(tmp_path: Path, name: str, value: Any, lines: bool) -> None:
    items = value if isinstance(value, list) else list(value.items()) if isinstance(value, dict) else [value]
    text = "\n".join(map(json.dumps, items)) if lines else json.dumps(value)
    check_read(upload(tmp_path, {name: text.encode(), "y.jsonl": text.encode()}))


@FEW
@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_any_records_of_films(tmp_path: Path, rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Records that name clips, so that each layout goes on to read what else they hold."""
    for row in rows:
        key = data.draw(st.sampled_from(["video", "videos", "file_name", "videoID", "id", "video_id", "youtube_id"]))
        row[key] = data.draw(film_names)
    wrapper = data.draw(st.sampled_from(["", "data", "database", "sentences", "annotations", "train"]))
    value: Any = {wrapper: rows, "videos": rows} if wrapper else rows
    check_read(upload(tmp_path, {"train.json": json.dumps(value).encode()}))


@pytest.mark.parametrize("layout", list(detect.LAYOUTS))
@settings(FEW, max_examples=60)
@given(value=values, lines=st.lists(texts, max_size=6))
def test_any_file_with_a_chosen_layout(tmp_path: Path, layout: str, value: Any, lines: list[str]) -> None:
    files = {"x.json": json.dumps([value]).encode(), "x.csv": "\n".join(lines).encode("utf-8", "replace")}
    check_read(upload(tmp_path, files), ReadingOptions(layout, level=2))


def zip_of(files: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(files: dict[str, bytes], mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


MEMBERS = {"cat/0.mp4": b"film" * 200, "dog/Gr\u00fcn.mp4": b"x" * 4_000, "a.zip": b"PK", "t.csv": b"file,label\n"}
ARCHIVES = {
    "a.zip": zip_of(MEMBERS, zipfile.ZIP_DEFLATED),
    "b.zip": zip_of(MEMBERS, zipfile.ZIP_STORED),
    "c.zip": zip_of(MEMBERS, zipfile.ZIP_LZMA),
    "a.tar": tar_of(MEMBERS, "w"),
    "a.tar.gz": tar_of(MEMBERS, "w:gz"),
    "a.tar.xz": tar_of(MEMBERS, "w:xz"),
    "a.tar.bz2": tar_of(MEMBERS, "w:bz2"),
}
_LIMIT = 10**6


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """An archive with bytes changed, left out, doubled or cut off, under its name or another's."""
    name, source = draw(st.sampled_from(sorted(ARCHIVES))), draw(st.sampled_from(sorted(ARCHIVES)))
    data = bytearray(ARCHIVES[source])
    for _ in range(draw(st.integers(0, 6))):
        at, size = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 40))
        match draw(st.sampled_from(["set", "flip", "cut", "remove", "repeat", "insert"])):
            case "set":
                data[at : at + size] = draw(st.binary(min_size=1, max_size=8))
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[max(1, at) :]
            case "remove":
                del data[at : at + size]
                data = data or bytearray(b"\0")
            case "repeat":
                data[at:at] = data[at : at + size]
            case _:
                data[at:at] = draw(st.sampled_from([b"PK\x03\x04", b"\0" * 512, b"\xff" * 16, b"ustar"]))
    return name, bytes(data)


@pytest.fixture(scope="module")
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@settings(FEW, max_examples=1500)
@given(mutated())
def test_any_archive(tmp_path_factory: pytest.TempPathFactory, memory: None, archive: tuple[str, bytes]) -> None:
    name, data = archive
    folder = tmp_path_factory.mktemp("a", numbered=True)
    source, staging = folder / "upload", folder / "staging"
    source.write_bytes(data)
    staging.mkdir()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        open_archives.open_archive(PartFiles([source]), name, staging, staging, _LIMIT, ArchiveFindings())
        open_archives.open_nested(staging, len(data), _LIMIT, ArchiveFindings())
    except AppError as error:
        check_sentence(error)
    assert tracemalloc.get_traced_memory()[1] - before < 64 * 2**20
    assert {path.name for path in folder.iterdir()} == {"upload", "staging"}  # nothing was written outside
    assert sum(path.stat().st_size for path in staging.rglob("*") if path.is_file()) <= _LIMIT
