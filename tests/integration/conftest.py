"""Fixtures of the tests of the REST API."""

import pytest
from fastapi.testclient import TestClient

from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from orchestrator.services.models.builtin import ensure_builtin
from tests.api_client import sign_in


@pytest.fixture
def ada_client(redis_server: object) -> TestClient:
    """A browser in which ada is signed in."""
    forget_clients()
    return sign_in("ada")


@pytest.fixture
def builtin_models(home: object) -> None:
    """The base models that ship with the studio are listed."""
    with session_scope() as session:
        ensure_builtin(session)
