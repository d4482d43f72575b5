"""Moves the body of a request to disk while it comes: few copies, few visits to a thread, little memory."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from orchestrator.services.uploads.part_file import PartFile

_BLOCK = 2**21
"""Bytes gathered before they go to disk."""


async def receive(request: Request, part: PartFile) -> None:
    """Appends the whole body. While a thread writes one block, the next one arrives; more are never held.

    Raises:
        ClientDisconnect: the line broke; what had arrived is written. TooLarge, OSError: as `PartFile.write`.
    """
    waiting: list[bytes] = []
    held, writing, broken = 0, None, None
    try:
        async for chunk in request.stream():
            waiting.append(chunk)
            held += len(chunk)
            if held >= _BLOCK:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(asyncio.to_thread(part.write, waiting))
                waiting, held = [], 0
    except ClientDisconnect as error:
        broken = error
    finally:
        if writing is not None:  # before the file is closed under it, whatever ended this
            await asyncio.shield(writing)
    if waiting:
        await asyncio.to_thread(part.write, waiting)
    if broken is not None:
        raise broken
