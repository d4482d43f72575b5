"""The small tree of errors that a person may see: each carries a sentence that says what to do."""


class AppError(Exception):
    """A refusal with words for the person who asked; anything else that is raised is our own bug.

    Attributes:
        message: one sentence in plain words: what happened and what to do.
        field: name of the form field the sentence belongs beside, or "".
        status: the HTTP status that the REST renderer answers with.
    """

    status = 400

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(AppError):
    """What was sent cannot be accepted as it is; `problems` lists (field, sentence) pairs."""

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
    """Nobody is signed in, or the session has ended."""

    status = 401


class NotAllowed(AppError):
    """The actor can see the thing but may not do this to it."""

    status = 403


class NotFound(AppError):
    """There is no such thing, or it is somebody else's: both read the same on purpose."""

    status = 404


class Conflict(AppError):
    """The thing is in a state, or has a name, that forbids this."""

    status = 409


class TooLarge(AppError):
    """More bytes than allowed here, or than fit."""

    status = 413


class TooMany(AppError):
    """Asked too often; `retry_after_s` says when to try again."""

    status = 429

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    """A part we stand on (database, Redis, disk, network) does not answer now; it may in `retry_after_s` seconds."""

    status = 503
    retry_after_s = 5


class DiskFull(AppError):
    """There is no room left for what was sent."""

    status = 507
