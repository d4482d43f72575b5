"""Routes that answer with what their return annotation says, from which their part of the OpenAPI document follows."""

import dataclasses
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, get_args, get_type_hints

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from orchestrator.api.checked_route import CheckedRoute, streamed_types
from orchestrator.api.file_ranges import SentFile
from orchestrator.api.schema.markers import Media, Shape
from orchestrator.api.schema.refusals import Operation, derived_refusals, security_of
from orchestrator.api.schema.shapes import shape_of
from orchestrator.api.serialization import to_json


class DocumentedRoute(CheckedRoute):
    """A route whose endpoint returns a row, a page of rows, or a response annotated with its `Media`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        annotation = get_type_hints(endpoint, include_extras=True)["return"]
        media = next((part for part in get_args(annotation) if isinstance(part, Media)), None)
        status = options.get("status_code") or 200
        options["responses"] = _success(annotation, media, status) | (options.get("responses") or {})
        options["response_model"] = None  # the annotation describes the answer, and to_json writes it
        if media is not None or annotation is type(None):
            options["response_class"] = Response
        super().__init__(path, _answers_json(endpoint), **options)
        streamed = streamed_types(endpoint)
        operation = Operation(
            dependant=self.dependant,
            methods=frozenset(self.methods or ()),
            streams_body=streamed is not None,
            sends_media=media is not None and bool(media.types),
            sends_file=media is not None and media.file,
        )
        self.responses = self.responses | {
            code: response for code, response in derived_refusals(operation).items() if code not in self.responses
        }
        self.openapi_extra = (
            {"security": security_of(operation)} | _streamed_body(streamed) | (self.openapi_extra or {})
        )


def documented_router(**options: Any) -> APIRouter:
    """A router whose routes are checked and documented."""
    return APIRouter(route_class=DocumentedRoute, **options)


_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"type": "string", "description": "Continue after it with the header Last-Event-ID."},
        "event": {"type": "string", "description": "The kind of the record in `data`."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_CONTENT: dict[str, dict[str, Any]] = {
    "text/plain": _TEXT,
    "text/html": _TEXT,
    "text/event-stream": {"itemSchema": _EVENT},
}


def _streamed_body(media_types: tuple[str, ...] | None) -> dict[str, Any]:
    content = dict.fromkeys(media_types or (), _BINARY)
    return {"requestBody": {"required": True, "content": content}} if content else {}


def _success(annotation: Any, media: Media | None, status: int) -> dict[int | str, dict[str, Any]]:
    if media is None:
        if annotation is type(None):
            return {}
        shape = next((part.model for part in get_args(annotation) if isinstance(part, Shape)), None)
        return {status: {"model": shape or shape_of(annotation)}}
    content = {kind: _CONTENT.get(kind, _BINARY) for kind in media.types}
    headers = {name: {"description": words, "schema": {"type": "string"}} for name, words in media.headers.items()}
    response = {"content": content} if content else {}
    found: dict[int | str, dict[str, Any]] = {status: response | ({"headers": headers} if headers else {})}
    if media.file:
        parts = content | {"multipart/byteranges": _BINARY}
        found[304] = {"description": "The client has this file: `If-None-Match` or `If-Modified-Since` names it."}
        found[206] = {"description": "The ranges of the file that the request asked for.", "content": parts}
    return found


def _answers_json(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, whose rows become JSON, and whose files refuse ranges with problem documents.

    FastAPI reads its parameters through the wrapper.
    """
    if iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def answer_later(*args: Any, **named: Any) -> Any:
            return _answer(await endpoint(*args, **named))

        return answer_later

    @wraps(endpoint)
    def answer(*args: Any, **named: Any) -> Any:
        return _answer(endpoint(*args, **named))

    return answer


def _answer(value: Any) -> Any:
    if isinstance(value, FileResponse):
        return SentFile(value)
    return to_json(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
