"""The OpenAPI document: what FastAPI derives, and what all operations share: the problem document and the logins."""

from typing import Any

from fastapi import FastAPI

from orchestrator.api.schema.links import add_links
from orchestrator.api.schema.problem import Problem
from orchestrator.services.auth.sessions import COOKIE_NAME

SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE_NAME,
        "description": "The cookie of POST /api/v1/auth/login. Requests that change something must come from a page of "
        "this studio (`Origin` or `Sec-Fetch-Site`).",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "lrl_...",
        "description": "A token of POST /api/v1/tokens. The list of an operation names the scope that it needs: "
        "`read` to read, `write` to change things, `infer` to ask models and nothing else.",
    },
}


class DocumentedAPI(FastAPI):
    """An app whose document names what its routes only refer to."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            components = super().openapi().setdefault("components", {})
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
            components.setdefault("schemas", {}).update(problem.pop("$defs"))
            components["schemas"]["Problem"] = problem
            components["securitySchemes"] = SECURITY_SCHEMES
            add_links(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema
