"""Streams the body of a request to disk, with few copies, few thread switches and little memory."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from orchestrator.services.uploads.part_file import PartFile

_BLOCK = 2**21
"""Bytes that are collected before they are written."""


async def write_body(request: Request, part: PartFile) -> None:
    """Appends the body to the file. While a thread writes one block the next one arrives; never more are in memory.

    Raises:
        ClientDisconnect: the connection was lost; what had arrived is written. TooLarge, OSError: see `PartFile.write`.
    """
    chunks: list[bytes] = []
    size, writing, disconnect = 0, None, None
    try:
        async for chunk in request.stream():
            chunks.append(chunk)
            size += len(chunk)
            if size >= _BLOCK:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(asyncio.to_thread(part.write, chunks))
                chunks, size = [], 0
    except ClientDisconnect as error:
        disconnect = error
    finally:
        if writing is not None:  # the file must not be closed while a thread writes to it
            await asyncio.shield(writing)
    if chunks:
        await asyncio.to_thread(part.write, chunks)
    if disconnect is not None:
        raise disconnect
