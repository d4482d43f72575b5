"""Files by HTTP: refused byte ranges as problem documents, and no more than the announced length of a file that grows.

Starlette answers refused ranges with plain text, sends a file that is appended to meanwhile to its new end, raises
for a file that was deleted after the route had found it, and sends what the client says it has.
"""

import os
from pathlib import Path

from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from orchestrator.api.byte_ranges import UnreadableRange, satisfiable
from orchestrator.api.preconditions import refused_status
from orchestrator.api.schema.problem import problem
from orchestrator.domain.errors import NotFound

_TEXTS = {
    400: "The header Range cannot be read. Ask for bytes=0-1023, for example.",
    412: "The file is not the one that the request's conditions name.",
    416: "The file ends before the range that was asked for.",
}
_DELETED = "This file was deleted a moment ago."
_KEPT_BY_304 = ("etag", "last-modified", "cache-control")
_SENT_BY_SERVER = "http.response.pathsend"
"""The server's offer to send the whole file by itself."""


def cut_at(path: Path, size: int) -> os.stat_result:
    """The file's facts as if it ended after `size` bytes, for a `FileResponse` that sends no more of it.

    Raises:
        NotFound: it is no longer there.
    """
    try:
        facts = list(path.stat())
    except FileNotFoundError:
        raise NotFound(_DELETED) from None
    facts[6] = min(size, facts[6])
    return os.stat_result(facts)


class SentFile(Response):
    """Sends a file, and no more of it than the announced length; what it refuses has the form of every refusal."""

    def __init__(self, file: FileResponse) -> None:
        self._file, self.background = file, file.background
        self.status_code, self.raw_headers = file.status_code, file.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        facts = self._file.stat_result
        if facts is None:
            try:
                facts = await run_in_threadpool(os.stat, self._file.path)
            except FileNotFoundError:
                await problem(404, _DELETED)(scope, receive, send)
                return
            self._file.set_stat_headers(facts)
        refused = self._refused(Headers(scope=scope), facts.st_size)
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._send_file(_with_satisfiable_ranges(scope, facts.st_size), receive, send)

    def _refused(self, request: Headers, size: int) -> Response | None:
        """The answer to conditions that do not hold, and to a range that cannot be read."""
        status = refused_status(request, self._file.headers)
        if status == 304:
            kept = {name: self._file.headers[name] for name in _KEPT_BY_304 if name in self._file.headers}
            return Response(status_code=304, headers=kept)
        if status is not None:
            return problem(status, _TEXTS[status])
        try:
            satisfiable(request.get("range", "bytes=0-"), size)
        except UnreadableRange:
            return problem(400, _TEXTS[400])
        return None

    async def _send_file(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None
        head: Message | None = None
        left, ended, begun = 0, False, False

        async def watched(message: Message) -> None:
            nonlocal refusal, head, left, ended, begun
            if message["type"] == "http.response.start":
                sent = Headers(raw=message["headers"])
                left = int(sent.get("content-length", 0))
                if message["status"] in _TEXTS:
                    headers = {"Content-Range": sent["content-range"]} if "content-range" in sent else None
                    refusal = problem(message["status"], _TEXTS[message["status"]], headers=headers)
                head = message  # sent with the first bytes: until then another answer is possible
                return
            if refusal is not None or ended:
                return
            if head is not None:
                begun = True
                await send(head)
                head = None
            if message["type"] == "http.response.body":
                body = message.get("body", b"")[:left]
                left -= len(body)
                ended = left == 0 or not message.get("more_body", False)
                message = {"type": "http.response.body", "body": body, "more_body": not ended}
            await send(message)

        if self._file.stat_result is not None:
            offers = {name: offer for name, offer in scope.get("extensions", {}).items() if name != _SENT_BY_SERVER}
            scope = {**scope, "extensions": offers}
        try:
            await self._file(scope, receive, watched)
        except (RuntimeError, FileNotFoundError):
            if begun or Path(self._file.path).is_file():
                raise
            refusal = problem(404, _DELETED)
        if refusal is not None:
            await refusal(scope, receive, send)


def _with_satisfiable_ranges(scope: Scope, size: int) -> Scope:
    """The request without ranges that must be ignored."""
    asked = Headers(scope=scope).get("range")
    if asked is None:
        return scope
    others = [(name, value) for name, value in scope["headers"] if name != b"range"]
    ranges = satisfiable(asked, size)
    return {**scope, "headers": others if ranges is None else [*others, (b"range", ranges.encode("latin-1"))]}
