"""The links of the OpenAPI document: what can be done next with the record that an answer is about."""

import re
from collections.abc import Iterator
from typing import Any

_ONE_RECORD = re.compile(r"(?P<list>/[^{}]+)/\{(?P<parameter>\w+_id)\}(?P<rest>/[a-z]+)?")
Operation = dict[str, Any]


def add_links(document: dict[str, Any]) -> None:
    """Links each answer with the `id` of a record to the operations that take this id in their path."""
    operations = _operations_by_record(document["paths"])
    for path, item in document["paths"].items():
        found = _ONE_RECORD.fullmatch(path)
        nexts = operations.get(found["list"] if found and not found["rest"] else path, [])
        for operation in item.values():
            links = dict(_links(nexts, operation))
            for status, response in operation["responses"].items():
                if links and status.startswith("2") and _has_id(response, document):
                    response["links"] = links


def _operations_by_record(paths: dict[str, Any]) -> dict[str, list[tuple[str, Operation]]]:
    """By the path of the list: (name of the path's parameter, operation) of what is done with one of its records."""
    found: dict[str, list[tuple[str, Operation]]] = {}
    for path, item in paths.items():
        if match := _ONE_RECORD.fullmatch(path):
            found.setdefault(match["list"], []).extend((match["parameter"], operation) for operation in item.values())
    return found


def _links(nexts: list[tuple[str, Operation]], own: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    for parameter, operation in nexts:
        if operation is not own:
            link = {"operationId": operation["operationId"], "parameters": {f"path.{parameter}": "$response.body#/id"}}
            yield operation["operationId"].partition("_api_v1_")[0], link


def _has_id(response: dict[str, Any], document: dict[str, Any]) -> bool:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    return "id" in document["components"]["schemas"].get(name, {}).get("properties", {})
