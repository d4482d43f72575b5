"""The page "REST routes", from the OpenAPI document: what each route does, answers and refuses, and who may use it."""

from typing import Any

from orchestrator.api.app import create_api
from orchestrator.stack.docs.tables import table

_SCHEMAS = "#/components/schemas/"


def rest_page() -> str:
    """The page as Markdown."""
    document = create_api().openapi()
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    shared = _shared_refusals(document)
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            text = " ".join((operation.get("description") or operation["summary"].capitalize()).split())
            row = (
                f"`{verb.upper()}`",
                f"`{path}`",
                text,
                _who(operation),
                _answers(operation),
                _refusals(operation, shared),
            )
            by_tag.setdefault(tag, []).append(row)
    parts = [
        "# REST routes",
        "Every route of the API, from its OpenAPI document. A running studio serves the document at "
        "`/api/openapi.json` and pages to try it out at `/api/docs`. See [curl](curl.md) and [Python](python.md) for "
        "examples.",
        "A session (the cookie of `POST /api/v1/auth/login`) may use every route; the tables name the scope that a "
        "token needs. Texts hold neither NUL nor half a surrogate pair, and lists and objects are nested at most 40 "
        "deep.",
        "Every refusal is `application/problem+json` with a sentence in `detail`, and the wrong fields in `errors`. "
        f"Each route can answer {_sentences(document, shared)}. The tables list what else it can refuse with.",
    ]
    head = ("verb", "route", "what it does", "token", "answer", "refusals")
    for tag in sorted(by_tag):
        parts += [f"## {tag.capitalize()}", table(head, by_tag[tag])]
    return "\n\n".join([*parts, *_fields(document)]) + "\n"


def _shared_refusals(document: dict[str, Any]) -> list[str]:
    found = [set(operation["responses"]) for item in document["paths"].values() for operation in item.values()]
    return sorted(status for status in set.intersection(*found) if status >= "400")


def _sentences(document: dict[str, Any], statuses: list[str]) -> str:
    operation = next(iter(document["paths"]["/api/v1/me"].values()))
    return "; ".join(f"{status}: {operation['responses'][status]['description'].rstrip('.')}" for status in statuses)


def _who(operation: dict[str, Any]) -> str:
    security = operation["security"]
    scopes = [scope for alternative in security for scope in alternative.get("token", [])]
    return " or ".join(f"`{scope}`" for scope in scopes) or ("no login" if not security else "no token")


def _answers(operation: dict[str, Any]) -> str:
    return "<br>".join(
        f"{status} {_content(response.get('content', {}))}".strip()
        for status, response in operation["responses"].items()
        if status < "400"
    )


def _content(content: dict[str, Any]) -> str:
    if "application/json" in content:
        return " or ".join(_link(name) for name in _names(content["application/json"]["schema"]))
    return ", ".join(f"`{kind}`" for kind in content)


def _names(schema: dict[str, Any]) -> list[str]:
    """The schemas that a schema refers to."""
    if "$ref" in schema:
        return [schema["$ref"].removeprefix(_SCHEMAS)]
    inner = [*schema.get("anyOf", []), *([schema["items"]] if isinstance(schema.get("items"), dict) else [])]
    return [name for part in inner for name in _names(part)]


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _refusals(operation: dict[str, Any], shared: list[str]) -> str:
    return ", ".join(status for status in sorted(operation["responses"]) if status >= "400" and status not in shared)


def _fields(document: dict[str, Any]) -> list[str]:
    """The answers with their fields, and the objects inside them."""
    schemas, found = document["components"]["schemas"], []
    waiting = [
        name
        for item in document["paths"].values()
        for operation in item.values()
        for status, response in operation["responses"].items()
        if status < "400"
        for name in _names(response.get("content", {}).get("application/json", {}).get("schema", {}))
    ]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += [inner for part in schemas[name].get("properties", {}).values() for inner in _names(part)]
    parts = ["## Answers"]
    for name in sorted([*found, "Problem", "FieldProblem"]):
        text = " ".join(schemas[name].get("description", "").split("\n\n")[0].split())
        cells = [
            (f"`{field}`", _type(part), part.get("description", ""))
            for field, part in schemas[name].get("properties", {}).items()
        ]
        heading = f"### {name} {{ #{name.lower()} }}"
        parts += [heading, text, table(("field", "value", "meaning"), cells)] if cells else [heading, text]
    return [part for part in parts if part]


def _type(schema: dict[str, Any]) -> str:
    """The kind of a value in words."""
    if "$ref" in schema:
        return _link(schema["$ref"].removeprefix(_SCHEMAS))
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    return str(schema.get("type", "any value"))
