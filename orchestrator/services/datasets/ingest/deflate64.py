"""Reads members of zips that are compressed with Deflate64, as Windows Explorer writes them above 2 GB."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import inflate64

DEFLATE64 = 9
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_MARK = b"PK\x03\x04"
_BLOCK = 1_024
"""A block unpacks to 30 MB at most, whatever it holds."""


def deflate64_blocks(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a member in blocks.

    Raises:
        zipfile.BadZipFile: it is damaged.
    """
    file.seek(entry.header_offset)
    mark, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if mark != _MARK:
        raise zipfile.BadZipFile("a member has no header")
    file.seek(name_bytes + extra_bytes, 1)
    inflater, left, crc = inflate64.Inflater(), entry.compress_size, 0
    while left and not inflater.eof:
        block = file.read(min(_BLOCK, left))
        if not block:
            raise zipfile.BadZipFile("a member is cut off")
        left -= len(block)
        try:
            content = inflater.inflate(block)
        except Exception as error:  # the library raises what its C code sets, ValueError and others
            raise zipfile.BadZipFile("a member is damaged") from error
        crc = zlib.crc32(content, crc)
        yield content
    if crc != entry.CRC:
        raise zipfile.BadZipFile("a member has another checksum")
