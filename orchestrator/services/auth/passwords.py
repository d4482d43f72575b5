"""Passwords: argon2id hashes, an estimate of their strength, and the rule that a new one must meet."""

from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

MAX_LENGTH = 256
MIN_LENGTH = 10
MIN_LENGTH_IF_STRONG = 8
STRONG_SCORE = 3
FAIR_SCORE = 2
_ZXCVBN_LIMIT = 72
_LABELS = ("Very weak", "Weak", "Fair", "Strong", "Very strong")

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a password is to guess: the score of zxcvbn from 0 to 4, its label, and a hint for a better one."""

    score: int
    label: str
    hint: str


def hash_password(password: str) -> str:
    """An argon2id hash with the library's current parameters."""
    return _hasher.hash(password.encode(errors="replace"))


def verify_password(password_hash: str, password: str) -> bool:
    """Whether the hash was made from this password."""
    try:
        return _hasher.verify(password_hash, password.encode(errors="replace"))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with older parameters and should be renewed at this login."""
    return _hasher.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def decoy_hash() -> str:
    """A hash to verify against when there is no such account, so that the answer takes as long as otherwise."""
    return hash_password("no-account-has-this-password")


def strength(password: str, user_inputs: list[str] | None = None) -> Strength:
    """Estimates the strength with zxcvbn (Wheeler 2016).

    Args:
        user_inputs: words that make a password weaker, such as the username and the email.
    """
    if not password:
        return Strength(0, "", "")
    words = [part for text in user_inputs or [] for part in (text, *text.replace("@", ".").split(".")) if part]
    estimate = zxcvbn(password[:_ZXCVBN_LIMIT], user_inputs=words)
    score = int(estimate["score"])
    feedback = estimate["feedback"]
    hint = str(feedback["warning"] or (feedback["suggestions"] or [""])[0])
    if score >= STRONG_SCORE:
        hint = "Hard to guess."
    elif not hint:
        hint = "Add another word or two."
    return Strength(score, _LABELS[score], hint if hint.endswith(".") else f"{hint}.")


def password_problem(password: str, user_inputs: list[str] | None = None) -> str:
    """Why this cannot be a new password, as a sentence; "" when it can.

    It needs 10 characters that zxcvbn does not find easy to guess, or 8 that it finds strong, and must not be the
    username or the email.
    """
    if not password:
        return "Choose a password."
    if len(password) > MAX_LENGTH:
        return f"A password has at most {MAX_LENGTH} characters; this one has {len(password)}."
    if password.casefold() in {text.strip().casefold() for text in user_inputs or [] if text.strip()}:
        return "The password must not be your username or email."
    short = f"Use at least {MIN_LENGTH} characters; three or four unrelated words work well."
    if len(password) < MIN_LENGTH_IF_STRONG:
        return short
    score = strength(password, user_inputs).score
    if len(password) < MIN_LENGTH:
        return "" if score >= STRONG_SCORE else short
    if score < FAIR_SCORE:
        return "This password is among the first that anyone would guess; three or four unrelated words work well."
    return ""
