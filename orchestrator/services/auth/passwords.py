"""Keeps passwords: argon2id hashes, an honest strength, and the rule a new one must meet."""

from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

MAX_LENGTH = 256
LONG = 10
SHORT_BUT_STRONG = 8
STRONG = 3
_ZXCVBN_LIMIT = 72
_LABELS = ("Very weak", "Weak", "Fair", "Strong", "Very strong")

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a password is to guess: score 0..4, its word, and a sentence that helps."""

    score: int
    label: str
    hint: str


def hash_password(password: str) -> str:
    """An argon2id hash with the library's present parameters."""
    return _hasher.hash(password.encode(errors="replace"))


def verify_password(password_hash: str, password: str) -> bool:
    """Whether the password made this hash."""
    try:
        return _hasher.verify(password_hash, password.encode(errors="replace"))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with older parameters and should be made again at this login."""
    return _hasher.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def decoy_hash() -> str:
    """A hash nobody's password made: an unknown login costs the same time as a wrong password."""
    return hash_password("nobody-has-this-password")


def strength(password: str, user_inputs: list[str] | None = None) -> Strength:
    """How strong the password is, by zxcvbn (Wheeler 2016); `user_inputs` are words it must not lean on."""
    if not password:
        return Strength(0, "", "")
    words = [part for text in user_inputs or [] for part in (text, *text.replace("@", ".").split(".")) if part]
    found = zxcvbn(password[:_ZXCVBN_LIMIT], user_inputs=words)
    score = int(found["score"])
    feedback = found["feedback"]
    hint = str(feedback["warning"] or (feedback["suggestions"] or [""])[0])
    if score >= STRONG:
        hint = "Hard to guess."
    elif not hint:
        hint = "Add another word or two."
    return Strength(score, _LABELS[score], hint if hint.endswith(".") else f"{hint}.")


def password_problem(password: str, user_inputs: list[str] | None = None) -> str:
    """Why this cannot be a new password, as a sentence; "" when it can.

    At least 10 characters, or at least 8 that zxcvbn finds strong; never the username or the email.
    """
    if not password:
        return "Choose a password."
    if len(password) > MAX_LENGTH:
        return f"A password has at most {MAX_LENGTH} characters; this one has {len(password)}."
    if password.casefold() in {text.strip().casefold() for text in user_inputs or [] if text.strip()}:
        return "The password must not be your username or email."
    if len(password) >= LONG:
        return "" if len(set(password)) > 2 else "That is one character over and over; choose a real password."
    if len(password) >= SHORT_BUT_STRONG and strength(password, user_inputs).score >= STRONG:
        return ""
    return f"Use at least {LONG} characters; three or four unrelated words work well."
