"""Answers that are about a record link to what can be done with it next, by ids that exist in the answer."""

import re
from typing import Any

from tests.openapi import document, operations


def links() -> list[tuple[str, str, dict[str, Any]]]:
    """(path, status, link) of all answers."""
    return [
        (path, status, link)
        for _, path, operation in operations()
        for status, response in operation["responses"].items()
        for link in response.get("links", {}).values()
    ]


def test_a_new_record_leads_to_reading_and_to_what_is_done_with_it() -> None:
    created = {
        path: set(op["responses"]["201"].get("links", {}))
        for verb, path, op in operations()
        if "201" in op["responses"]
    }
    assert {"get_job", "stop", "resume", "metrics", "delete_job"} <= created["/api/v1/jobs"]
    assert {"get_dataset", "ingest", "list_clips", "delete_dataset"} <= created["/api/v1/datasets"]
    assert {"get_sweep", "stop_sweep"} <= created["/api/v1/sweeps"]


def test_each_link_names_an_operation_and_its_only_parameter() -> None:
    by_id = {operation["operationId"]: path for _, path, operation in operations()}
    assert len(links()) > 100
    for path, status, link in links():
        target = by_id[link["operationId"]]
        assert {f"path.{name}" for name in re.findall(r"\{(\w+)\}", target)} == set(link["parameters"]), (path, status)
        assert list(link["parameters"].values()) == ["$response.body#/id"]


def test_no_body_has_an_object_whose_fields_are_not_described() -> None:
    free = {"UncheckedJobBody"}  # of the preflight, which answers what is wrong with any values
    bodies = {
        reference.rpartition("/")[2]
        for _, _, operation in operations()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for reference in re.findall(r"#/components/schemas/\w+", str(content))
    }
    for name in bodies - free:
        for field, schema in document()["components"]["schemas"][name].get("properties", {}).items():
            for part in schema.get("anyOf", [schema]):
                described = {"properties", "anyOf", "$ref"} & set(part) or part.get("additionalProperties") != True  # noqa: E712
                assert part.get("type") != "object" or described, f"{name}.{field}"
