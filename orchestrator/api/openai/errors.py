"""Errors in the form that OpenAI's clients expect: {"error": {message, type, param, code}}."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from orchestrator.api.middleware.errors import ErrorBoundary
from orchestrator.api.problems import retry_after
from orchestrator.domain.errors import AppError

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def error_body(status: int, message: str, param: str = "", code: str = "") -> dict[str, Any]:
    """The body of every error."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code or None}}


def of_app_error(error: AppError) -> tuple[int, dict[str, Any]]:
    """Status and body. Invalid values are 400 here instead of 422, as OpenAI's clients expect."""
    status = 400 if error.status == 422 else error.status
    codes = {401: "invalid_api_key", 404: "model_not_found" if error.field == "model" else "not_found"}
    return status, error_body(status, error.message, error.field, codes.get(status, ""))


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return render(error)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: Any = next(iter(error.errors()), {"loc": ("body",), "msg": "it cannot be read"})
    where = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse(error_body(400, f"{where or 'The body'}: {first['msg']}.", where), 400)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    text = "There is nothing at this address. /v1/models and /v1/chat/completions are there."
    return JSONResponse(error_body(error.status_code, text, code="not_found"), error.status_code)


def render(error: AppError) -> JSONResponse:
    """A refusal as an answer."""
    status, body = of_app_error(error)
    return JSONResponse(body, status, headers=retry_after(error))


def add_handlers(app: FastAPI) -> None:
    """Registers the handlers of this module."""
    app.add_exception_handler(AppError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(ErrorBoundary, render=render)
