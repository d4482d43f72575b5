"""Requests that schemathesis derives from the OpenAPI document, valid and not: the real server answers as it says.

No worker runs, so that what would take long (training, downloads, probes, pushes) is only queued: no operation is left
out. Streams of events end after the first one.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from benchmarks.studio import free_port
from tests.api_client import sign_in
from tests.integration.test_api_ownership import things_of
from tests.openapi import operations
from tests.studio import RedisProcess, start_process, until

EXAMPLES = 2
"""How many requests are made up for each operation and kind of test, besides those that cover each value's limits."""
WALKS = 12
"""How many walks along the links of the document there are, from a new record to what is done with it."""
SAME_BODY = {"POST /api/v1/rehearsals": "that of a job", "POST /api/v1/datasets/{dataset_id}/fetch": "a source"}
"""Operations whose body has the values of another one, where the limits of each value are tried."""
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]
"""The answers to valid requests: what schemathesis has by itself."""
REJECTED = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429", "5xx"]
"""The answers to invalid requests: what schemathesis has by itself, a protocol of another version, too large bodies."""

BEYOND_A_SCHEMA = {
    "POST /api/v1/me/password": "the current password must be the right one",
    "POST /api/v1/me/confirm": "the password must be the right one",
    "PATCH /api/v1/me": "a new name or address needs the current password",
    "POST /api/v1/tokens": "the password must have been given a short time ago",
    "DELETE /api/v1/tokens/{token_id}": "the password must have been given a short time ago",
    "POST /api/v1/credentials": "which values are needed follows from the kind, and a key file is checked",
    "PUT /api/v1/credentials/{credential_id}": "which values are needed follows from the stored kind",
    "POST /api/v1/datasets": "an address must be public, and stored credentials must fit it",
    "POST /api/v1/datasets/{dataset_id}/fetch": "an address must be public, and stored credentials must fit it",
    "POST /api/v1/datasets/{dataset_id}/read": "columns must be those of the dataset's tables",
    "POST /api/v1/datasets/{dataset_id}/splits": "a split needs clips of each class",
    "PATCH /api/v1/datasets/{dataset_id}/clips": "a label or a caption is needed by the dataset's task",
    "PATCH /api/v1/clips/{clip_id}": "a label or a caption is needed by the dataset's task",
    "POST /api/v1/datasets/{dataset_id}/findings/{kind}/{action}": "the report must offer the action",
    "GET /api/v1/clips/{clip_id}/seen": "the model's family decides which frames it can take",
    "GET /api/v1/clips/{clip_id}/seen.png": "the model's family decides which frames it can take",
    "POST /api/v1/hub/size": "stored credentials must be a Hub token",
    "GET /api/v1/uploads": "exactly one of two parameters, which OpenAPI cannot say",
    "POST /api/v1/uploads": "the metadata is encoded, and names what the file belongs to",
    "PATCH /api/v1/uploads/{upload_id}": "the bytes must continue where the file ends",
    "POST /api/v1/models": "a folder must be on the server and hold a model of the named kind",
    "POST /api/v1/models/{model_id}/check": "the files must be there",
    "POST /api/v1/jobs": "recipe, dataset, base and workers must fit each other",
    "POST /api/v1/rehearsals": "recipe, dataset, base and workers must fit each other",
    "POST /api/v1/sweeps": "recipe, dataset, base and workers must fit each other",
    "POST /api/v1/jobs/{job_id}/resume": "the dataset and the base must still fit",
    "POST /api/v1/recipes/parse": "the file must be YAML or JSON with names and values",
    "POST /api/v1/infer": "the task of the model decides what is asked about",
    "POST /api/v1/playground/clips": "the bytes must be a video",
    "POST /api/v1/adapters/{adapter_id}/push": "a token is needed, stored or sent",
    "POST /api/v1/adapters/{adapter_id}/register": "the files must hold a model",
    "POST /api/v1/notifications/test": "a channel must be set up first",
    "PUT /api/v1/notifications/settings": "mails need a mail server in the settings",
}
"""Why a request can be valid by the schema and be refused with 422 all the same."""
NEEDS_OTHERS = {
    "POST /api/v1/infer": "a worker answers, and none runs here",
    "POST /api/v1/hub/size": "the Hub answers, and no network is used here",
}
"""What may answer with 503: its part of the studio is away in this test."""


@pytest.fixture
def site(home: Path, redis_server: RedisProcess, processes: list[Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a real server."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    port = free_port()
    target = ["--interface", "asgi", "--factory", "tests.fakes.quick_hashes:create_api", "--port", str(port)]
    processes.append(start_process("-m", "granian", *target))
    address = f"http://127.0.0.1:{port}"
    until(lambda: _answers(address), 60.0)
    return address


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/openapi.json").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def formats() -> None:
    """Values of formats that a pattern cannot describe, and bodies that are sent as they are."""
    names = strategies.integers(0, 10**9)
    schemathesis.openapi.format("email", names.map(lambda number: f"mail-{number}@example.org"))
    schemathesis.openapi.format("password", names.map(lambda number: f"granite otter {number} lantern"))
    schemathesis.openapi.format("cursor", strategies.just(""))
    for media_type in ("application/offset+octet-stream", "video/mp4"):
        schemathesis.serializer.alias(media_type, "application/octet-stream")


def settings(site: str, cookie: str) -> dict[str, Any]:
    """The configuration: everything on, the same requests each time."""
    generation = {"max-examples": EXAMPLES, "deterministic": True, "no-shrink": True, "allow-x00": False}
    more = {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "422"]}}
    others = {"not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]}}
    return {
        "seed": 20_261_130,
        "cache": {"enabled": False},
        "base-url": site,
        "continue-on-failure": True,
        "headers": {"Sec-Fetch-Site": "same-origin"},
        "auth": {"openapi": {"session": {"api_key": cookie}}},
        "max-stream-events": 1,
        "request-timeout": 30,
        "generation": generation,
        "checks": {"enabled": True, "negative_data_rejection": {"expected-statuses": REJECTED}},
        "phases": {
            "enabled": True,
            "coverage": {"unexpected-methods": ["PUT", "TRACE"]},
            "stateful": {"max-steps": 5, "generation": generation | {"max-examples": WALKS}},
        },
        "operations": [
            {"include-name": name, "checks": more | (others if name in NEEDS_OTHERS else {})}
            | ({"phases": {"coverage": {"enabled": False}}} if name in SAME_BODY else {})
            for name in BEYOND_A_SCHEMA
        ],
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_server_answers_as_the_document_says(site: str, formats: None) -> None:
    sign_in("root")  # the first one becomes the administrator
    client = sign_in("ada")
    things_of(int(client.get("/api/v1/me").json()["id"]))
    config = SchemathesisConfig.from_dict(settings(site, client.cookies["loreel_session"]))
    schema = schemathesis.openapi.from_url(f"{site}/api/openapi.json", config=config)
    began, failures, sent, asked, walked = time.monotonic(), Counter[str](), 0, set[str](), Counter[str]()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.FatalError), event.exception
        assert not isinstance(event, events.NonFatalError), (event.label, event.value)
        if isinstance(event, events.ScenarioFinished):
            sent += len(event.recorder.interactions)
            walked[str(getattr(event.phase, "value", event.phase))] += len(event.recorder.cases)
            asked |= {case.value.operation.label for case in event.recorder.cases.values()}
            failures.update(_failures(event.recorder))
    took = time.monotonic() - began
    steps = walked["stateful"]
    print(f"schemathesis: {len(asked)} operations, {sent} requests, {failures.total()} failures, {took:.0f} s")
    print(f"walks: {steps} steps")
    assert steps > WALKS
    assert failures == {}, "\n".join(failures)
    assert asked == {f"{verb} {path}" for verb, path, _ in operations()}


def _failures(recorder: Any) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure, found = check.failure_info.failure, recorder.interactions.get(case_id)
                answer = found.response.content[:300] if found and found.response else b""
                request = check.failure_info.code_sample
                yield f"{check.name}: {failure.operation}: {failure.message[:400]} {request} {answer!r}"


def test_exceptions_are_of_operations_that_there_are() -> None:
    assert set(BEYOND_A_SCHEMA) <= {f"{verb} {path}" for verb, path, _ in operations()}
    assert set(NEEDS_OTHERS) | set(SAME_BODY) <= set(BEYOND_A_SCHEMA)
