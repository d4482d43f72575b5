"""Routes that read, compute or pack much for one answer run few at once for each person."""

import importlib
import pkgutil

from fastapi.routing import APIRoute

from orchestrator.api import routes
from orchestrator.api.checked_route import is_expensive

EXPENSIVE = {
    "/adapters/{adapter_id}/download",
    "/adapters/{adapter_id}/merged",
    "/audit/export",
    "/audit/verify",
    "/compare",
    "/datasets/{dataset_id}/export",
    "/datasets/{dataset_id}/report",
    "/jobs/preflight",
    "/jobs/{job_id}/download",
    "/jobs/{job_id}/log.txt",
    "/jobs/{job_id}/logs",
    "/jobs/{job_id}/report",
    "/jobs/{job_id}/telemetry",
    "/models/{model_id}/layers",
    "/recipes/parse",
}
"""Previews of clips and chats have lines of their own: `services.fair_queue`, `services.playground.open_questions`."""


def test_what_reads_much_is_limited() -> None:
    found = set[str]()
    for module in pkgutil.iter_modules(routes.__path__):
        router = importlib.import_module(f"{routes.__name__}.{module.name}").router
        found |= {route.path for route in router.routes if isinstance(route, APIRoute) and is_expensive(route.endpoint)}
    assert found == EXPENSIVE
