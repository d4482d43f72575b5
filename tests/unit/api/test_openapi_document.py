"""The OpenAPI document says of every operation what it answers, how it refuses, and who may use it."""

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from orchestrator.api.app import create_api
from orchestrator.api.documented_route import DocumentedRoute
from orchestrator.api.schema.problem import MEDIA_TYPE
from tests.openapi import document, operations

ANONYMOUS = {
    ("GET", "/api/v1/health"),
    ("POST", "/api/v1/auth/signup"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/reset"),
    ("OPTIONS", "/api/v1/uploads"),
}
ALWAYS = {"413", "421", "422", "429", "500", "503"}
STATES = {("GET", "/api/v1/health", "503")}
"""Answers above 399 that are no refusals: the state of the studio's parts."""


def schema_of(response: dict[str, Any]) -> dict[str, Any]:
    return response["content"]["application/json"]["schema"]


def is_described(schema: dict[str, Any]) -> bool:
    """Whether it names the fields of an object."""
    if "anyOf" in schema:
        return all(is_described(part) for part in schema["anyOf"])
    name = schema.get("$ref", "").rpartition("/")[2]
    return bool(document()["components"]["schemas"].get(name, {}).get("properties"))


def test_each_answer_is_typed() -> None:
    for verb, path, operation in operations():
        answers = {status: response for status, response in operation["responses"].items() if status < "400"}
        assert answers, path
        for status, response in answers.items():
            where, content = (verb, path, status), response.get("content", {})
            assert content or status in ("201", "204", "304") or verb == "HEAD", where
            assert "application/json" not in content or is_described(schema_of(response)), where


def test_each_refusal_is_a_problem_document() -> None:
    for verb, path, operation in operations():
        for status, response in operation["responses"].items():
            if status >= "400" and (verb, path, status) not in STATES:
                content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
                assert response["content"] == content, (verb, path, status)
                assert response["description"]


def test_each_operation_says_who_may_use_it() -> None:
    for verb, path, operation in operations():
        security, where = operation["security"], (verb, path)
        assert (security == []) == (where in ANONYMOUS), where
        if security:
            assert {"session": []} in security
            assert {"401", "403"} <= set(operation["responses"]), where
        scopes = {scope for alternative in security for scope in alternative.get("token", [])}
        assert scopes <= ({"read", "infer"} if verb in ("GET", "HEAD") else {"write", "infer"}), where


def test_refusals_follow_from_what_an_operation_does() -> None:
    for verb, path, operation in operations():
        expected = set(ALWAYS)
        expected |= {"404"} if "{" in path else set()
        expected |= {"403", "409", "507"} if verb not in ("GET", "HEAD", "OPTIONS") else set()
        bodies = operation.get("requestBody", {}).get("content", {})
        expected |= {"400"} if bodies else set()
        expected |= {"408"} if "application/json" in bodies else set()
        expected |= {"304", "400", "412", "416"} if "206" in operation["responses"] else set()
        assert expected <= set(operation["responses"]), (verb, path)


def test_each_login_is_described() -> None:
    assert set(document()["components"]["securitySchemes"]) == {"session", "token"}


def test_every_route_is_documented() -> None:
    """A route of another class would be in the document without its refusals."""

    def routes_below(router: Any) -> Iterator[APIRoute]:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route
            elif hasattr(route, "original_router"):
                yield from routes_below(route.original_router)

    documented = [route for route in routes_below(create_api().router) if route.include_in_schema]
    assert len(documented) == len(operations())
    assert [route.path for route in documented if not isinstance(route, DocumentedRoute)] == []


def test_every_reference_leads_somewhere() -> None:
    schemas = document()["components"]["schemas"]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].rpartition("/")[2] in schemas, value
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document())
