"""The files of a dataset: clips and film strips in the storage, downloads until they are imported."""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from orchestrator.settings import get_settings

_ENDINGS = (
    "mp4 m4v mov mkv webm avi mpg mpeg m2ts mts ts wmv flv 3gp ogv gif f4v h264 264 h265 265 hevc 3g2 m2v m1v mpe mpv "
    "vob asf qt divx mxf ivf dv m2p rm rmvb nut y4m mj2"
)
_TEXTS = "txt json jsonl ndjson csv tsv lst caption cls xml yaml yml toml md rst html htm srt vtt ass"
_OTHERS = (
    f"{_TEXTS} parquet xlsx xls pdf doc docx rtf "
    "jpg jpeg png bmp webp tif tiff ppm heic heif avif svg wav mp3 flac aac m4a opus sub py sh ipynb "
    "zip tar gz tgz xz txz bz2 tbz tbz2 zst 7z rar npy npz pt pth pkl h5 hdf5 lmdb mdb db safetensors bin exe dll so"
)
_OTHER_ENDINGS = frozenset(f".{ending}" for ending in _OTHERS.split())
"""Endings that say clearly that a file is no film."""
_TEXT_ENDINGS = frozenset(f".{ending}" for ending in _TEXTS.split())
"""Endings of files that are read as text: whether they begin as a film does is asked when they cannot be read."""
VIDEO_ENDINGS = frozenset(f".{ending}" for ending in _ENDINGS.split())
_NO_FILM_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"avif", b"M4A ", b"M4B ", b"crx "})
_BEGINNINGS = re.compile(
    rb"\x1aE\xdf\xa3|RIFF....AVI |FLV\x01|\x30\x26\xb2\x75\x8e\x66\xcf\x11|GIF8[79]a|DKIF|YUV4MPEG2|\x06\x0e\x2b\x34|"
    rb"\x00\x00\x01[\xba\xb3\xb0]|"  # MPEG program stream, MPEG-1 and -2, MPEG-4
    rb"\x00?\x00\x00\x01[\x06\x09\x27\x47\x67\x40\x42\x44\x46]",  # the first unit of H.264 and H.265
    re.DOTALL,
)
_PACKETS = ((0, 188), (4, 192), (0, 204))
"""(first mark, distance) of the packets of transport streams: broadcast, discs, receivers with error correction."""
_FIRST_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""How QuickTime files begin that do not name their kind."""
UNPACKED = "unpacked"
"""Prefix of the folder with unpacked files that wait for a review of their layout."""
FETCHED_PART, PART_NOTE = "part", "part.json"
"""Files in the folder of a download: the part of a web file that has arrived; the description of the source."""
OBJECT_PREFIX = "object-"
"""Prefix of files that were downloaded from a bucket or the Hub, complete or in part."""
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def is_video(name: str) -> bool:
    """Whether the name has the ending of a video; its content is checked by the probe."""
    return ending_of(name) in VIDEO_ENDINGS


def may_be_video(name: str) -> bool:
    """Whether the name allows that it is a video; for files that are not there yet."""
    return ending_of(name) not in _OTHER_ENDINGS


def is_film(path: Path | str) -> bool:
    """Whether a file is taken as a film: by the ending of a video, else by its content, outside of text files."""
    name = str(path)
    return is_video(name) or (ending_of(name) not in _TEXT_ENDINGS and holds_video(path))


def holds_video(path: Path | str) -> bool:
    """Whether a file begins as one of the usual kinds of video files does."""
    try:
        with open(path, "rb") as file:
            head = file.read(1_024)
    except OSError:
        return False
    if head[4:8] == b"ftyp":
        return head[8:12] not in _NO_FILM_BRANDS
    if head.startswith(b"OggS"):
        return b"\x80theora" in head
    is_transport = any(head[at : at + 2 * size + 1 : size] == b"GGG" for at, size in _PACKETS)
    return bool(is_transport or head[4:8] in _FIRST_ATOMS or _BEGINNINGS.match(head))


def ending_of(name: str) -> str:
    """Like `PurePosixPath.suffix` in lower case, but ten times faster: an upload may have 100,000 names."""
    last = name.rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    return f".{ending.lower()}" if dot and ending and stem.strip(".") else ""


def dataset_folder(dataset_id: int) -> Path:
    """The folder of a dataset, which is deleted with it."""
    return get_settings().storage_dir / "datasets" / str(dataset_id)


def fetch_folders(dataset_id: int) -> list[Path]:
    """The folders of downloads for this dataset, before their files become uploads."""
    return list((get_settings().data_dir / "uploads").glob(f"fetch-{dataset_id}-*"))


def partial_bytes(folder: Path, source: dict[str, Any] | None = None) -> int:
    """Bytes of an interrupted download that can be resumed.

    Args:
        source: only if the download is of this source.
    """
    try:
        note = json.loads((folder / PART_NOTE).read_text())
        if source is not None and note.get("source") != _source_key(source):
            return 0
        with os.scandir(folder) as entries:
            files = [entry for entry in entries if entry.name == FETCHED_PART or entry.name.startswith(OBJECT_PREFIX)]
            return sum(entry.stat().st_size for entry in files)
    except (OSError, ValueError):
        return 0


def _source_key(source: dict[str, Any]) -> str:
    """What identifies a source: its address, without credentials and revision."""
    return str(source.get("url") or source.get("uri") or source.get("repo") or "")


def remove_unpacked(dataset_id: int) -> None:
    """Deletes unpacked files that wait for a review of their layout."""
    for folder in dataset_folder(dataset_id).glob(f"{UNPACKED}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(dataset_id: int) -> None:
    """Deletes all files of the dataset, if there are any."""
    for folder in (dataset_folder(dataset_id), *fetch_folders(dataset_id)):
        shutil.rmtree(folder, ignore_errors=True)


def is_system_file(name: str) -> bool:
    """Whether it is a file that operating systems create by themselves in folders."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].lower() in _SYSTEM_FILES or parts[-1].startswith("._")


def unused_path(path: Path) -> Path:
    """`path`, or the same with a number before its ending where the file exists: two zips may use the same names."""
    number, candidate = 2, path
    while candidate.exists():
        candidate, number = path.with_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return candidate


def list_files(folder: Path) -> list[str]:
    """The names of the files below a folder, relative to it; links are left out."""
    files: list[str] = []
    folders = [""]
    while folders:
        prefix = folders.pop()
        with contextlib.suppress(OSError), os.scandir(f"{folder}/{prefix}") as entries:
            for entry in entries:  # which knows what it is without a further system call
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{prefix}{entry.name}/")
                elif not entry.is_symlink():
                    files.append(prefix + entry.name)
    return files
