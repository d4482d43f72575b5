"""Renders every refusal as `application/problem+json` (RFC 9457); `middleware.errors` catches what is unexpected."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from orchestrator.api.checked_route import RefusedBody
from orchestrator.api.schema.problem import problem
from orchestrator.domain.errors import AppError, Invalid, TooMany, Unavailable

_DETAILS = {
    404: "There is nothing at this address. /api/docs lists what there is.",
    405: "This address does not take that verb. /api/docs lists what it takes.",
}


def of_app_error(error: AppError) -> JSONResponse:
    """The problem document of an `AppError`; with `Retry-After` where a limit was reached."""
    pairs = error.problems if isinstance(error, Invalid) else [(error.field, error.message)] if error.field else []
    return problem(error.status, error.message, [{"field": f, "message": m} for f, m in pairs], retry_after(error))


def of_foreign_host(sentence: str) -> JSONResponse:
    """The problem document for a host name that is not this studio's."""
    return problem(421, sentence, headers={"Connection": "close"})


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


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusedBody):
        return of_app_error(error.error)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed_verbs(request))
    return problem(error.status_code, _DETAILS.get(error.status_code, str(error.detail)), headers=headers)


def _allowed_verbs(request: Request) -> list[str]:
    """All verbs of the path; Starlette names only those of the first route that has it."""
    routes = request.app.router.routes
    return [
        verb
        for verb in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": verb})[0] is Match.FULL for route in routes)
    ]


def add_handlers(app: FastAPI) -> None:
    """Registers the handlers of this module."""
    app.add_exception_handler(AppError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
