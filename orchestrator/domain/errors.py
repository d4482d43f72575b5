"""The errors that users see: each carries a sentence that says what happened and what to do."""


class AppError(Exception):
    """A request was refused for a reason that the user can act on; any other exception is a bug of ours.

    Attributes:
        message: a sentence in plain words: what happened, and what to do.
        field: the name of the form field that the sentence is about, or "".
        status: the HTTP status of the REST response.
    """

    status = 400

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(AppError):
    """The values are not valid; `problems` lists (field, sentence) pairs."""

    status = 422

    def __init__(
        self,
        message: str,
        field: str = "",
        problems: list[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(message, field)
        self.problems = problems or ([(field, message)] if field else [])


class NotSignedIn(AppError):
    """The user is not signed in, or the session has ended."""

    status = 401


class NotAllowed(AppError):
    """The user may see the record but not do this with it."""

    status = 403


class PasswordNeeded(NotAllowed):
    """The change needs the password once more, because it was given too long ago in this session."""


class NotFound(AppError):
    """There is no such record, or it belongs to another user; both read the same on purpose."""

    status = 404


class Conflict(AppError):
    """The state of the record, or its name, does not allow this."""

    status = 409


class TooLarge(AppError):
    """There are more bytes than allowed."""

    status = 413


class TooMany(AppError):
    """There were too many requests; `retry_after_s`: seconds until the next try."""

    status = 429

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    """A service that this needs (database, Redis, a worker) does not answer; try again in `retry_after_s` seconds."""

    status = 503
    retry_after_s = 5


class DiskFull(AppError):
    """There is not enough disk space."""

    status = 507
