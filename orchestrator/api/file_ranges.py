"""Refused byte ranges of a file as problem documents; Starlette answers them with plain text."""

from fastapi.responses import FileResponse, Response
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from orchestrator.api.schema.problem import problem

_TEXTS = {
    400: "The header Range cannot be read. Ask for bytes=0-1023, for example.",
    416: "The file ends before the range that was asked for.",
}


class RangeRefusals(Response):
    """Sends a file; what it refuses has the form of every refusal."""

    def __init__(self, file: FileResponse) -> None:
        self._file, self.background = file, file.background
        self.status_code, self.raw_headers = file.status_code, file.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None

        async def watched(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] in _TEXTS:
                sent = Headers(raw=message["headers"])
                headers = {"Content-Range": sent["content-range"]} if "content-range" in sent else None
                refusal = problem(message["status"], _TEXTS[message["status"]], headers=headers)
            elif refusal is None:
                await send(message)

        await self._file(scope, receive, watched)
        if refusal is not None:
            await refusal(scope, receive, send)
