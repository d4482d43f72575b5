"""Renders every refusal as `application/problem+json` (RFC 9457); `middleware.errors` catches what is unexpected."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from orchestrator.api.checked_route import RefusedBody
from orchestrator.domain.errors import AppError, Invalid, TooMany, Unavailable

MEDIA_TYPE = "application/problem+json"
_DETAILS = {
    404: "There is nothing at this address. /api/docs lists what there is.",
    405: "This address does not take that verb. /api/docs lists what it takes.",
}


def problem(
    status: int, detail: str, errors: list[dict[str, str]] | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem document; `errors` lists {field, message}."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def of_app_error(error: AppError) -> JSONResponse:
    """The problem document of an `AppError`; with `Retry-After` where a limit was reached."""
    pairs = error.problems if isinstance(error, Invalid) else [(error.field, error.message)] if error.field else []
    return problem(error.status, error.message, [{"field": f, "message": m} for f, m in pairs], retry_after(error))


def retry_after(error: AppError) -> dict[str, str] | None:
    """The header that says when to try again."""
    return {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany | Unavailable) else None


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return of_app_error(error)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": ".".join(str(part) for part in item["loc"][1:]), "message": str(item["msg"])}
        for item in error.errors()
    ]
    first = errors[0] if errors else {"field": "body", "message": "it cannot be read"}
    return problem(422, f"{first['field'] or 'The body'}: {first['message']}.", errors)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusedBody):
        return of_app_error(error.error)
    return problem(
        error.status_code, _DETAILS.get(error.status_code, str(error.detail)), headers=dict(error.headers or {})
    )


def add_handlers(app: FastAPI) -> None:
    """Registers the handlers of this module."""
    app.add_exception_handler(AppError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
