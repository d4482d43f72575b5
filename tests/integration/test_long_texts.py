"""Hundreds of kilobytes in any text field are refused or stored at once: nothing expensive is done with them."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from orchestrator.services.auth.limits import forget_clients
from tests.api_client import PASSWORD, make_client, sign_in
from tests.openapi import document

LONG = "a." * 300_000
MOST_TIMES_THE_MEDIAN = 100
"""What a request may take of the processor, as a multiple of the median request of the same run: whatever the machine,
most fields are only read, and one megabyte of e-mail took 400 times as long."""
UNLOGGED = ("/api/v1/auth/signup", "/api/v1/auth/login")


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, body with one long text) for each text field of each operation."""
    schemas = document()["components"]["schemas"]
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            schema = _resolved(content["schema"], schemas)
            fields = schema.get("properties", {})
            for name in fields:
                if "string" in _types(fields[name], schemas):
                    others = {other: _example(fields[other], schemas) for other in schema.get("required", [])}
                    yield method, path, others | {name: LONG}


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _types(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    schema = _resolved(schema, schemas)
    own = schema.get("type", "")
    found = set(own) if isinstance(own, list) else {own}
    for one in schema.get("anyOf", []):
        found |= _types(one, schemas)
    return found


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    schema = _resolved(schema, schemas)
    if schema.get("enum"):
        return schema["enum"][0]
    examples = {"string": "ada@example.org", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return next((examples[kind] for kind in _types(schema, schemas) if kind in examples), None)


def test_no_field_makes_a_request_slow(redis_server: object) -> None:
    forget_clients()
    user = sign_in("ada")
    taken: dict[str, float] = {}
    for method, path, body in bodies():
        client = make_client() if path in UNLOGGED else user
        if path in UNLOGGED:
            client.cookies.set("loreel_session", "none")  # the limit of a body without login is 64 KiB
        address = path
        while "{" in address:
            address = address[: address.index("{")] + "1" + address[address.index("}") + 1 :]
        began = time.process_time()
        answer = client.request(method, address, json={"password": PASSWORD} | body if path in UNLOGGED else body)
        field = [name for name, value in body.items() if value is LONG]
        taken[f"{method} {path} {field}"] = time.process_time() - began
        assert answer.status_code < 500, (method, path, answer.text[:300])
    most = MOST_TIMES_THE_MEDIAN * statistics.median(taken.values())
    assert {field: seconds for field, seconds in taken.items() if seconds > most} == {}
