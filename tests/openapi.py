"""Holds each answer of the REST API against its OpenAPI document: status, media type, and every field of the body."""

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema_rs
from fastapi import FastAPI

from orchestrator.api.app import create_api

VERBS = frozenset({"get", "head", "options", "post", "put", "patch", "delete"})


@cache
def shared_api() -> FastAPI:
    """The real app, assembled once: it reads the settings at each request."""
    return create_api()


def document() -> dict[str, Any]:
    """The document of the real app."""
    return shared_api().openapi()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(verb, path, operation) of everything that is documented."""
    paths = document()["paths"].items()
    return [(verb.upper(), path, operation) for path, item in paths for verb, operation in item.items()]


def find_operation(verb: str, address: str) -> dict[str, Any] | None:
    """The operation that answers at an address; the path with the fewest parameters where several fit."""
    fitting = [path for path in document()["paths"] if _pattern(path).fullmatch(address)]
    item = document()["paths"][min(fitting, key=lambda path: path.count("{"))] if fitting else {}
    return item.get(verb.lower())


@cache
def _pattern(path: str) -> re.Pattern[str]:
    rest = r".+" if path.endswith("/artifacts/{name}") else r"[^/]+"
    return re.compile(re.sub(r"\\\{\w+\\\}", lambda _: rest if path.endswith("/{name}") else r"[^/]+", re.escape(path)))


def deviations(verb: str, address: str, status: int, media_type: str, body: Any) -> list[str]:
    """What the document does not say of an answer; `body`: the value of JSON, else None."""
    operation = find_operation(verb, address)
    if operation is None:
        return []
    response = operation["responses"].get(str(status))
    where = f"{verb} {address} {status}"
    if response is None:
        return [f"{where} is not documented"]
    content = response.get("content") or {}
    kind = media_type.partition(";")[0].strip()
    if not content or verb == "HEAD" or "*/*" in content:
        return [] if not kind or verb == "HEAD" or content else [f"{where}: a body of {kind} is not documented"]
    if kind not in content:
        return [f"{where}: {kind or 'no body'} is not documented, but {', '.join(content)}"]
    if not is_json(kind):
        return []
    validator = _validator(json.dumps(content[kind]["schema"]))
    return [f"{where}: {error.instance_path}: {error.message}" for error in validator.iter_errors(body)]


def is_json(kind: str) -> bool:
    """Whether a body of this media type is one JSON value; JSON lines are many."""
    return kind.partition(";")[0].strip().endswith(("/json", "+json"))


@cache
def _validator(schema: str) -> Any:
    components, root = deepcopy(document()["components"]["schemas"]), json.loads(schema)
    _forbid_unknown_fields([components, root])
    return jsonschema_rs.validator_for(root | {"components": {"schemas": components}}, validate_formats=True)


def _forbid_unknown_fields(schema: Any) -> None:
    """Clients must expect new fields, but each field that is sent is documented."""
    if isinstance(schema, dict):
        if "properties" in schema and isinstance(schema["properties"], dict):
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            _forbid_unknown_fields(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _forbid_unknown_fields(inner)
