"""The REST API with little patience for slow bodies, for a server in a process of its own."""

from fastapi import FastAPI

from orchestrator.api import checked_route
from tests.fakes.quick_hashes import create_api


def create() -> FastAPI:
    checked_route.BODY_SECONDS = 2.0
    checked_route.STREAM_GRACE_S = 2.0
    return create_api()
