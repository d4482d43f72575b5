"""Passwords: what is strong, what is refused, and that hashes follow the library's parameters."""

import pytest
from argon2 import PasswordHasher

from orchestrator.services.auth import passwords
from orchestrator.services.auth.passwords import (
    hash_password,
    is_outdated,
    password_problem,
    strength,
    verify_password,
)


@pytest.fixture(autouse=True)
def usual_parameters(monkeypatch: pytest.MonkeyPatch, quick_password_hashes: PasswordHasher) -> None:
    monkeypatch.setattr(passwords, "_hasher", quick_password_hashes)


def test_a_hash_is_argon2id_and_fits_only_its_password():
    kept = hash_password("four plain words")
    assert kept.startswith("$argon2id$")
    assert verify_password(kept, "four plain words")
    assert not verify_password(kept, "four plain word")
    assert not verify_password("not a hash", "four plain words")
    assert not is_outdated(kept)


def test_a_hash_with_weaker_parameters_is_outdated():
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))


def test_lone_surrogates_do_not_break_it():
    assert verify_password(hash_password("\ud800 four words"), "\ud800 four words")


@pytest.mark.parametrize("password", ["correct horse", "x7#kQ9!zW", "ten-chars-"])
def test_good_passwords(password: str):
    assert password_problem(password, ["ada", "ada@example.org"]) == ""


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "password",
        "aaaaaaaaaaaa",
        "Ada@Example.org",
        "p" * 257,
        "1234567890",
        "qwertyuiop",
        "password123",
        "letmein123",
        "aaaaaaabbc",
    ],
)
def test_refused_passwords_get_a_sentence(password: str):
    assert password_problem(password, ["ada", "ada@example.org"]).endswith((".", "password."))


def test_strength_rises_and_always_says_something():
    weak, strong = strength("password1"), strength("tulip-anchor-mosaic-97")
    assert weak.score < 2 < strong.score
    assert weak.hint.endswith(".")
    assert strong.label in ("Strong", "Very strong")
    assert strength("x" * 500).score >= 0
    assert strength("ada-lovelace", ["ada", "lovelace@example.org"]).score < 3
