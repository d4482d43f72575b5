"""Accounts: sign-up, validation of its fields, and changes of one's own profile and password."""

import re

import structlog
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Conflict, Invalid, NotAllowed, NotSignedIn
from orchestrator.domain.users import Actor, Role, User
from orchestrator.services.audit.recording import record, record_refusal
from orchestrator.services.auth.limits import begin_confirmation, begin_signup, confirmation_succeeded
from orchestrator.services.auth.passwords import MAX_LENGTH, hash_password, password_problem, verify_password
from orchestrator.services.auth.rows import AccountRow
from orchestrator.services.datasets.demo import create_demos
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)
USERNAME = re.compile(r"[A-Za-z0-9_.-]{3,32}")
MAXUSERNAME, MAX_EMAIL = 32, 254
_TAKEN = {
    "username": "This username is taken; choose another.",
    "email": "An account with this email exists already; log in, or use another email.",
}


def actor_of(user: User) -> Actor:
    """The actor that services take for this account."""
    assert user.id is not None
    return Actor(user.id, user.username, user.email, user.role)


def _normal_email(email: str) -> str:
    """The email in its normal form; raises `EmailNotValidError`. No name server is asked."""
    return validate_email(email.strip(), check_deliverability=False).normalized


def _username_problem(username: str) -> str:
    if not username:
        return "Choose a username."
    if not USERNAME.fullmatch(username):
        return "A username has 3 to 32 letters, digits, dots, dashes or underscores."
    return ""


def _email_problem(email: str) -> str:
    if not email.strip():
        return "Enter your email."
    if len(email) > MAX_EMAIL:  # validating a megabyte takes seconds
        return f"An email has at most {MAX_EMAIL} characters; this one has {len(email)}."
    try:
        _normal_email(email)
    except EmailNotValidError:
        return "Enter a full email address, like name@example.org."
    return ""


def _is_taken(session: Session, field: str, value: str, except_id: int = 0) -> bool:
    column = User.username_key if field == "username" else User.email_key
    key = value.casefold() if field == "username" else _normal_email(value).casefold()
    query = select(col(User.id)).where(col(column) == key, col(User.id) != except_id)
    return session.scalar(query) is not None


def check_signup_field(session: Session, field: str, value: str) -> str:
    """What is wrong with one sign-up field, checked when the field loses the focus.

    Args:
        field: "username", "email" or "password".

    Returns:
        A sentence for the field; "" when the value is accepted.
    """
    if field == "password":
        return password_problem(value)
    value = value.strip()
    problem = _username_problem(value) if field == "username" else _email_problem(value)
    return problem or (_TAKEN[field] if _is_taken(session, field, value) else "")


def _signup_problems(username: str, email: str, password: str) -> list[tuple[str, str]]:
    checks = [
        ("username", _username_problem(username)),
        ("email", _email_problem(email)),
        ("password", password_problem(password, [username[:MAXUSERNAME], email[:MAX_EMAIL]])),
    ]
    return [(field, sentence) for field, sentence in checks if sentence]


def lock_accounts(session: Session) -> None:
    """Lets one transaction at a time make accounts or change who administers; until its commit."""
    # SQLite's first write takes the write lock of the whole database. PostgreSQL needs an explicit lock: two sign-ups
    # at once could otherwise both find themselves first and both become administrators.
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))


def _conflict_from(session: Session, error: IntegrityError) -> Conflict:
    session.rollback()
    field = "email" if "email_key" in str(error.orig) else "username"
    return Conflict(_TAKEN[field], field)


def sign_up(session: Session, username: str, email: str, password: str, settings: Settings, ip: str = "") -> Actor:
    """Creates an account with its demo datasets; the first account of an installation becomes its administrator.

    Args:
        ip: the client's address, whose sign-ups are limited; "" for our own code.

    Raises:
        Invalid: `problems` names each bad field. Conflict: `field` is taken. NotAllowed: sign-up is not open.
        TooMany: this address, or all together, made too many accounts.
    """
    username, email = username.strip(), email.strip()
    problems = _signup_problems(username, email, password)
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    begin_signup(ip, settings.signups_per_hour)
    for field, value in (("username", username), ("email", email)):
        if _is_taken(session, field, value):
            raise Conflict(_TAKEN[field], field)
    normal = _normal_email(email)
    user = User(
        username=username,
        username_key=username.casefold(),
        email=normal,
        email_key=normal.casefold(),
        password_hash=hash_password(password),
    )
    try:
        lock_accounts(session)
        session.add(user)
        session.flush()
    except IntegrityError as error:
        raise _conflict_from(session, error) from error
    others = session.scalar(select(func.count()).select_from(User).where(col(User.id) != user.id)) or 0
    if others and settings.signup != "open":
        raise NotAllowed("Sign-up is not open here. Ask the administrator for an account.")
    if not others:
        user.role = Role.ADMIN
        session.flush()
    actor = actor_of(user)
    create_demos(session, actor.user_id)
    record(session, actor, Act.ACCOUNT_CREATED, user.id, user.username, after={"role": user.role.value})
    log.info("account.created", account=actor.user_id, role=user.role.value)
    return actor


def _user_of(session: Session, actor: Actor) -> User:
    user = session.get(User, actor.user_id)
    if user is None:
        raise NotSignedIn("This account does not exist any more. Sign in with another one.")
    return user


def confirm_password(session: Session, actor: Actor, password: str) -> None:
    """Asks for the password once more before something that a stolen session must not do.

    Raises:
        Invalid: it is not the actor's password. TooMany: it was wrong too often.
    """
    _confirm_password(session, _user_of(session, actor), password, "current_password")


def _confirm_password(session: Session, user: User, password: str, field: str) -> None:
    assert user.id is not None
    if not password:
        raise Invalid("Enter your current password to confirm this.", field)
    begin_confirmation(user.id)
    if not verify_password(user.password_hash, password[: MAX_LENGTH + 1]):
        log.info("password.confirmation_failed", account=user.id)
        record_refusal(session, actor_of(user), Act.PASSWORD_CONFIRMED, "wrong password", user.id, user.username)
        raise Invalid("That is not your current password.", field)
    confirmation_succeeded(user.id)


def get_account(session: Session, actor: Actor) -> AccountRow:
    """The actor's own account."""
    user = _user_of(session, actor)
    assert user.id is not None
    return AccountRow(user.id, user.username, user.email, user.role.value, user.created_at)


def update_profile(session: Session, actor: Actor, username: str, email: str, current_password: str) -> Actor:
    """Changes one's own username and email, which lead to the account: only with its password.

    Raises:
        Invalid: `problems` names each bad field. Conflict: `field` is taken by another account. TooMany: the password
            was wrong too often.
    """
    username, email = username.strip(), email.strip()
    checks = [("username", _username_problem(username)), ("email", _email_problem(email))]
    problems = [(field, sentence) for field, sentence in checks if sentence]
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    user = _user_of(session, actor)
    if (username, _normal_email(email)) == (user.username, user.email):
        return actor_of(user)
    _confirm_password(session, user, current_password, "current_password")
    for field, value in (("username", username), ("email", email)):
        if _is_taken(session, field, value, except_id=actor.user_id):
            raise Conflict(_TAKEN[field], field)
    before = {"username": user.username, "email": user.email}
    normal = _normal_email(email)
    user.username, user.username_key = username, username.casefold()
    user.email, user.email_key = normal, normal.casefold()
    try:
        session.flush()
    except IntegrityError as error:
        raise _conflict_from(session, error) from error
    after = {"username": username, "email": normal}
    record(session, actor, Act.ACCOUNT_CHANGED, user.id, username, before, after)
    log.info("profile.changed", account=actor.user_id)
    return actor_of(user)


def change_password(session: Session, actor: Actor, current: str, new: str) -> None:
    """Changes one's own password after verifying the current one.

    Raises:
        Invalid: field `current` or `new`. TooMany: the current password was wrong too often.
    """
    user = _user_of(session, actor)
    _confirm_password(session, user, current, "current")
    problem = password_problem(new, [user.username, user.email])
    if not problem and new == current:
        problem = "The new password is the same as the current one."
    if problem:
        raise Invalid(problem, "new")
    user.password_hash = hash_password(new)
    session.flush()
    record(session, actor, Act.PASSWORD_CHANGED, user.id, user.username)
    log.info("password.changed", account=actor.user_id)
