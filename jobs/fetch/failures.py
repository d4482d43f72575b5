"""Classifies the failures of a fetch: temporary or not, caused by a changed object, and the sentence for the user."""

import errno
from collections.abc import Iterator

from jobs.fetch.guard import REFUSED
from jobs.fetch.report import Problem
from orchestrator.domain.numbers import parse_id

PRIVATE = "The address leads into a private network. Only public addresses are called from here."
_INTERRUPTED = frozenset(
    {
        "ClientOSError",
        "ClientPayloadError",
        "ConnectionClosedError",
        "ConnectionResetError",
        "HTTPClientError",
        "IncompleteRead",
        "IncompleteReadError",
        "ReadError",
        "RemoteProtocolError",
        "ResponseParserError",
        "ResponseStreamingError",
        "ServerDisconnectedError",
        "ServiceResponseError",
    }
)
"""What libraries call a connection that ended too early."""


def is_temporary(error: BaseException) -> bool:
    """Whether a later attempt may succeed: the connection broke, or the server is busy."""
    if REFUSED or isinstance(error, Problem):
        return False
    if status := status_of(error):
        return status in (408, 429) or status >= 500
    return any(_was_interrupted(each) or _timed_out(each) or _was_unreachable(each) for each in _chain(error))


def is_changed(error: BaseException) -> bool:
    """Whether the requested version of an object was deleted or replaced by another one."""
    return status_of(error) in (404, 412, 416) or any(isinstance(each, FileNotFoundError) for each in _chain(error))


def status_of(error: BaseException) -> int:
    """The status of the HTTP response that an error of any library is about; 0 when it is about none."""
    for each in _chain(error):
        response = getattr(each, "response", None)
        if isinstance(response, dict):  # botocore's
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        else:
            status = getattr(response, "status_code", None) or getattr(each, "status_code", None)
            # gcsfs's; what aiohttp calls a code is its own guess.
            status = status or (getattr(each, "code", None) if type(each).__name__ == "HttpError" else None)
        # A response that was interrupted has a status, too: 200 or 206.
        if isinstance(status, int | str) and (number := parse_id(str(status))) >= 400:
            return number
    return 0


def describe_failure(error: BaseException) -> str:
    """The sentence for a failure; never the text of a library, which may hold parts of a key."""
    if REFUSED:
        return PRIVATE
    if isinstance(error, Problem):
        return str(error)
    kind, status = type(error).__name__, status_of(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free some space, then try again."
    # A signature that may not list is a plain HttpResponseError of Azure's.
    if (
        status in (401, 403)
        or isinstance(error, PermissionError)
        or (isinstance(error, OSError) and str(error).startswith("Forbidden"))  # gcsfs's 403
        or kind
        in (
            "NoCredentialsError",
            "RefreshError",
            "Forbidden",
            "InvalidAccessKeyId",
            "ClientAuthenticationError",
        )
    ):
        return "The store refuses these credentials for this bucket. Check both."
    if isinstance(error, FileNotFoundError) or kind == "ResourceNotFoundError":
        return "There is no such bucket or folder. Check the address for typing mistakes."
    if kind in ("LocalEntryNotFoundError", "OfflineModeIsEnabled"):
        return "The Hugging Face Hub cannot be reached from this machine. Upload the files instead, or give a folder."
    if status in (429, 503):
        return "The server is busy. Try again in some minutes."
    if status >= 500:
        return f"The server answered with an error ({status}). Try again later."
    if any(_timed_out(each) for each in _chain(error)):
        return "The server does not answer in time. Try again later."
    if any(_was_interrupted(each) for each in _chain(error)):
        return "The download broke off. Try again."
    if any(_was_unreachable(each) for each in _chain(error)):
        return "The server cannot be reached. Check the address, and that this machine has a way to it."
    return f"The files could not be fetched ({kind}). Check the address and try again."


def _was_interrupted(error: BaseException) -> bool:
    return type(error).__name__ in _INTERRUPTED


def _timed_out(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__


def _was_unreachable(error: BaseException) -> bool:
    kind = type(error).__name__
    known = "Connect" in kind or "DNS" in kind or kind in ("gaierror", "ProxyError", "ServiceRequestError")
    return known or isinstance(error, ConnectionError)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes."""
    current: BaseException | None = error
    for _ in range(8):
        if current is None:
            return
        yield current
        current = current.__cause__
