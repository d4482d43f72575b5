"""Opens the archives of an upload: whole ones, those in parts, and archives inside archives, within limits."""

import errno
from pathlib import Path, PurePosixPath

import structlog

from orchestrator.domain.errors import AppError, Invalid
from orchestrator.services.datasets.files import is_system_file, list_files, unused_path
from orchestrator.services.datasets.ingest.archive_kinds import ArchiveKind, archive_kind, may_be_archive
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings
from orchestrator.services.datasets.ingest.archive_parts import PartFiles, group_parts, join_advice, missing_part
from orchestrator.services.datasets.ingest.decompression import (
    COMPRESSED_ENDINGS,
    DamagedArchive,
    allowed_bytes,
    is_disk_error,
    unpack_single,
)
from orchestrator.services.datasets.ingest.tar_archives import unpack_tar
from orchestrator.services.datasets.ingest.zip_archives import MAX_ENTRIES, unpack

log = structlog.get_logger()
_NAMES_NOT_WRITABLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ)
_MAX_DEPTH = 3
_MAX_NESTED_FILES = 10 * MAX_ENTRIES


def open_archive(
    parts: PartFiles, name: str, target: Path, staging: Path, limit: int, findings: ArchiveFindings
) -> int | None:
    """Unpacks a file if it is an archive.

    Args:
        name: its name in the upload, which may have folders.
        target: the folder for the files of a tar; those of a zip go to `staging`.
        limit: the most bytes that its files may have.
        findings: takes what was left out or guessed.

    Returns:
        How many files it had; None where it is no archive.

    Raises:
        Invalid: it cannot be unpacked safely.
    """
    try:
        kind = archive_kind(parts, name)
        if kind is ArchiveKind.ZIP:
            return unpack(parts, staging, limit, name, findings)
        if kind is ArchiveKind.TAR:
            return unpack_tar(parts, target, limit, name, findings)
        if kind is ArchiveKind.COMPRESSED:
            return _open_compressed(parts, name, staging, limit)
    except AppError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NAMES_NOT_WRITABLE:
            stated = str(error.filename or "").removeprefix(f"{staging}/").removeprefix(f"{target}/")
            raise Invalid(
                f"{name} holds a name that cannot be written here: {stated[-80:]}. It is too long, or a file and a "
                "folder have it. Give it another name, and pack it again."
            ) from error
        if is_disk_error(error):
            raise
        log.exception("archive_failed", kind=type(error).__name__)
        raise DamagedArchive(
            f"{name} cannot be read: it is damaged or of an unusual kind. Pack it as tar.gz."
        ) from error
    return None


def open_part_set(
    base: str, paths: dict[str, Path], staging: Path, limit: int, findings: ArchiveFindings
) -> int | None:
    """Joins the parts of one archive and unpacks it.

    Args:
        base: the name of the archive.
        paths: the parts by their names, in their order.

    Returns:
        How many files it had; None where the joined file is no archive.

    Raises:
        Invalid: a part is missing, or it cannot be unpacked safely.
    """
    names = list(paths)
    if sentence := missing_part(base, names):
        raise Invalid(sentence)
    try:
        return open_archive(PartFiles(list(paths.values())), base, staging, staging, limit, findings)
    except DamagedArchive as error:
        raise Invalid(
            f"{base}, joined from {len(names)} parts, cannot be unpacked: a part may be missing or incomplete. "
            f"{join_advice(base, names)}"
        ) from error


def open_nested(staging: Path, packed: int, limit: int, findings: ArchiveFindings) -> None:
    """Unpacks the archives inside the staging folder, each into a folder of its own, until none is left.

    Args:
        packed: the bytes of all uploads, from which the limit on unpacked bytes follows.

    Raises:
        Invalid: they are nested too deeply, unpack to too much, or cannot be unpacked safely.
    """
    bytes_left, files_left = min(limit, allowed_bytes(packed)), _MAX_NESTED_FILES
    for depth in range(_MAX_DEPTH + 1):
        names = sorted(name for name in list_files(staging) if not is_system_file(name))
        sets = group_parts(names)
        in_parts = {part for parts in sets.values() for part in parts}
        singles = [name for name in names if name not in in_parts and may_be_archive(name)]
        opened = False
        for base, members in [*sets.items(), *((name, [name]) for name in singles)]:
            paths = {name: staging / name for name in members}
            folder = own_folder(staging / base)
            if depth == _MAX_DEPTH and archive_kind(PartFiles(list(paths.values())), base):
                raise Invalid(f"{_short(base)} is an archive in {_MAX_DEPTH} others. Unpack it, then upload the files.")
            count = _open_one(base, paths, folder, bytes_left, findings, is_set=base in sets)
            if count is None:
                folder.rmdir()
                continue
            opened, files_left = True, files_left - count
            for path in paths.values():
                path.unlink()
            if _is_single(folder, base):  # metadata.csv.gz belongs beside the clips
                bytes_left -= _move_up(folder)
                continue
            bytes_left -= sum((folder / name).stat().st_size for name in list_files(folder))
            if files_left < 0:
                raise Invalid(f"The archives hold more than {_MAX_NESTED_FILES:,} files. Split them.")
        if not opened:
            return


def _open_one(
    base: str, paths: dict[str, Path], folder: Path, limit: int, findings: ArchiveFindings, is_set: bool
) -> int | None:
    if is_set:
        return open_part_set(base, paths, folder, limit, findings)
    return open_archive(PartFiles(list(paths.values())), _short(base), folder, folder, limit, findings)


def _open_compressed(parts: PartFiles, name: str, folder: Path, limit: int) -> int:
    packed = PurePosixPath(name)
    has_ending = packed.suffix.lower() in COMPRESSED_ENDINGS
    target = folder / (packed.with_suffix("") if has_ending else packed.with_name(f"{packed.name}.out"))
    target.parent.mkdir(parents=True, exist_ok=True)
    unpack_single(parts, unused_path(target), limit, name)
    return 1


def _is_single(folder: Path, base: str) -> bool:
    """Whether the folder has only the decompressed file of an archive like `metadata.csv.gz`."""
    return base.lower().endswith(COMPRESSED_ENDINGS) and list_files(folder) == [PurePosixPath(_short(base)).stem]


def _move_up(folder: Path) -> int:
    """Moves the only file of a folder beside it; returns its bytes."""
    source = next(folder.iterdir())
    size = source.stat().st_size
    source.rename(unused_path(folder.parent / source.name))
    folder.rmdir()
    return size


def own_folder(archive: Path) -> Path:
    """Creates a folder for the files of an archive, because several shards may use the same names."""
    folder = unused_path(archive.with_name(archive.name.partition(".")[0] or "archive"))
    folder.mkdir(parents=True)
    return folder


def _short(name: str) -> str:
    return name.rpartition("/")[2]
