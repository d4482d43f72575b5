"""The OpenAI-compatible API at /v1: captioning models as chat models that take a video."""

from fastapi import FastAPI

from orchestrator.api.openai import chat, errors


def create_openai() -> FastAPI:
    """An app of its own, mounted at /v1, because its errors have OpenAI's form."""
    app = FastAPI(title="Loreel for OpenAI's clients", openapi_url=None, docs_url=None, redoc_url=None)
    errors.add_handlers(app)
    app.include_router(chat.router)
    return app
