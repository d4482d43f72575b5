"""The door for OpenAI's clients, at /v1: the captioning models of this studio as chat models that see a video."""

from fastapi import FastAPI

from orchestrator.api.openai import chat, errors


def create_openai() -> FastAPI:
    """Mounted beside the API; its errors have OpenAI's shape."""
    app = FastAPI(title="Loreel for OpenAI's clients", openapi_url=None, docs_url=None, redoc_url=None)
    errors.add_handlers(app)
    app.include_router(chat.router)
    return app
