"""The REST API with little patience for slow bodies, for a server in a process of its own."""

from fastapi import FastAPI

from orchestrator.api import checked_route
from orchestrator.logs import configure_logging
from tests.fakes.quick_hashes import create_api


def create() -> FastAPI:
    configure_logging("web")
    checked_route.BODY_SECONDS = 2.0
    checked_route.STREAM_GRACE_S = 2.0
    return create_api()
