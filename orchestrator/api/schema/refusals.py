"""Which refusals an operation can answer with, derived from what its route does: login, parameters, body, files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from pydantic import TypeAdapter

from orchestrator.api.authentication import Access, access_of
from orchestrator.api.schema.problem import problem_response

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY = {"Retry_After": "Seconds until the next try."}
_TEXTS = {
    400: "The request cannot be read.",
    401: "There is no valid session and no valid token.",
    403: "This user may see the record but not do this; or the request came from a page of another site.",
    404: "There is no such record, or it belongs to another user.",
    408: "The body did not arrive in time.",
    409: "The state of the record, or its name, does not allow this.",
    412: "A condition does not hold: the file has changed, or this version of the protocol is not supported.",
    413: "The body is larger than allowed.",
    415: "The body has another media type than this route reads.",
    416: "The file ends before the range that was asked for.",
    421: "This studio is not known by the host name of the request.",
    422: "A value is not valid; `errors` names the fields.",
    423: "Another request is writing to the same file.",
    429: "Too many requests at once, or in a short time.",
    500: "Something went wrong on the side of the studio.",
    502: "A service outside the studio did not answer as expected.",
    503: "The database, Redis or a worker does not answer now.",
    504: "A worker did not answer in time.",
    507: "There is not enough disk space.",
}
_EVERYWHERE = (413, 421, 422, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does, as far as refusals follow from it."""

    dependant: Dependant
    methods: frozenset[str]
    streams_body: bool
    sends_media: bool
    """Whether it sends something else than JSON, which may have to be made first."""
    sends_file: bool
    """Whether that is a file, of which ranges can be asked for."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can refuse for reasons that its signature does not show."""
    return {status: _response(status) for status in statuses}


def derived_refusals(operation: Operation) -> dict[int | str, dict[str, Any]]:
    """The refusals that follow from a route's signature."""
    return refusals(*sorted({*_EVERYWHERE, *_statuses(operation)}))


def required_access(dependant: Dependant) -> Access | None:
    """Who may use the route; None where no login is needed."""
    for inner in dependant.dependencies:
        if (found := access_of(inner.call) or required_access(inner)) is not None:
            return found
    return None


def security_of(operation: Operation) -> list[dict[str, list[str]]]:
    """The `security` of the operation: alternatives, by scheme, with the scopes that a token needs."""
    access = required_access(operation.dependant)
    if access is None:
        return []
    scopes = access.read_scopes if operation.methods <= _READS else access.write_scopes
    return [{"session": []}, *({"token": [scope]} for scope in scopes)]


def _statuses(operation: Operation) -> Iterator[int]:
    dependant, is_read = operation.dependant, operation.methods <= _READS
    if required_access(dependant) is not None:
        yield from (401, 403)
    elif not is_read:
        yield 403  # browsers must not be made to write by other sites
    flat = list(_parameters(dependant))
    names = [*(name for _, name in flat), *_body_names(dependant)]
    if any(place == "path" for place, _ in flat) or any(name.endswith(("_id", "ids")) for name in names):
        yield 404
    if dependant.body_params:
        yield from (400, 408)
    if operation.streams_body:
        yield 400
    if not is_read or operation.sends_media:
        yield from (409, 507)
    if operation.sends_file:
        yield from (400, 412, 416)


def _parameters(dependant: Dependant) -> Iterator[tuple[str, str]]:
    fields: Iterable[tuple[str, list[Any]]] = (("path", dependant.path_params), ("query", dependant.query_params))
    for place, found in fields:
        yield from ((place, field.name) for field in found)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _body_names(dependant: Dependant) -> Iterator[str]:
    """The names of all fields of the body; a `source` may name stored credentials."""
    for param in dependant.body_params:
        schema = TypeAdapter[Any](param.field_info.annotation or Any).json_schema()
        for part in (schema, *schema.get("$defs", {}).values()):
            yield from ("source_id" if name == "source" else name for name in part.get("properties", {}))


def _response(status: int) -> dict[str, Any]:
    return problem_response(_TEXTS[status], **(_RETRY if status in (429, 503) else {}))
