"""Guesses are counted by account and address, and never lock out the owner; sign-ups are counted by address."""

import pytest

from orchestrator.domain.errors import NotSignedIn, TooMany
from orchestrator.services import rate_limits
from orchestrator.services.auth import accounts, limits, sessions
from orchestrator.services.auth.device_cookies import new_device_cookie, read_device_cookie
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from orchestrator.services.vault import seal
from orchestrator.settings import Settings, get_settings

PASSWORD = "four-plain-words-here"
# Redis is away in these tests: the limits count in this process's memory.
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def _fresh_limits(home: object) -> None:
    forget_clients()


def join(name: str, ip: str = "", settings: Settings | None = None) -> int:
    with session_scope() as session:
        mail = f"{name}@example.org"
        return accounts.sign_up(session, name, mail, PASSWORD, settings or get_settings(), ip).user_id


def guess(login: str, ip: str, device: str = "", password: str = "x") -> str:
    """The answer to a login, in a word."""
    try:
        with session_scope() as session:
            sessions.log_in(session, login, password, ip, device)
    except NotSignedIn:
        return "wrong"
    except TooMany:
        return "wait"
    return "in"


def guess_from_everywhere(login: str) -> list[str]:
    return [guess(login, f"10.1.{n}.1") for n in range(10) for _ in range(5)]


def test_username_and_email_are_one_account() -> None:
    join("ada")
    answers = [guess(login, "10.0.0.1") for login in ("ada", "ADA@example.org") * 5]
    assert answers == ["wrong"] * 5 + ["wait"] * 5


def test_guesses_are_summed_over_addresses() -> None:
    join("ada")
    answers = guess_from_everywhere("ada")
    assert answers.count("wrong") == 20
    assert guess("ada", "10.9.9.9") == "wait"
    assert guess("unknown", "10.9.9.9") == "wrong"


def test_a_known_browser_gets_in_whatever_others_guess() -> None:
    ada, eve = join("ada"), join("eve")
    guess_from_everywhere("ada")
    for _ in range(30):
        guess("ada", "10.0.0.1")
    assert guess("ada", "10.0.0.1", new_device_cookie(ada), PASSWORD) == "in"
    assert guess("ada", "10.0.0.1", new_device_cookie(eve), PASSWORD) == "wait"
    assert guess("ada", "10.0.0.1", "forged", PASSWORD) == "wait"


def test_an_address_where_the_account_is_signed_in_is_no_stranger() -> None:
    ada = join("ada")
    with session_scope() as session:
        sessions.open_session(session, ada, True, ip="10.0.0.7")
    guess_from_everywhere("ada")
    assert guess("ada", "10.0.0.7", password=PASSWORD) == "in"
    assert guess("ada", "10.0.0.8", password=PASSWORD) == "wait"


def test_one_stranger_does_not_close_the_account_for_new_browsers() -> None:
    join("ada")
    for _ in range(100):
        guess("ada", "10.0.0.1")
    assert guess("ada", "10.0.0.2", password=PASSWORD) == "in"


def test_a_device_has_a_limit_of_its_own() -> None:
    cookie = new_device_cookie(join("ada"))
    assert [guess("ada", f"10.0.0.{n}", cookie) for n in range(6)] == ["wrong"] * 5 + ["wait"]
    assert guess("ada", "10.0.0.1", password=PASSWORD) == "in"


def test_the_wait_grows() -> None:
    attempt = limits.Attempt("1", "10.0.0.1")
    waits = []
    for limit in limits.PAIR:
        for _ in range(limit.amount):
            rate_limits._counted(lambda limiter, limit=limit: limiter.hit(limit, *attempt.pair))
        with pytest.raises(TooMany) as refused:
            limits.begin_attempt(attempt)
        waits.append(refused.value.retry_after_s)
        rate_limits._in_memory().clear(limit, *attempt.pair)
    assert waits[0] <= 60 < waits[1] <= 900 < waits[2] <= 3600


def test_right_passwords_are_not_counted_against_the_account() -> None:
    join("ada")
    assert {guess("ada", f"10.2.0.{n}", password=PASSWORD) for n in range(60)} == {"in"}


def test_neighbours_in_one_ipv6_network_are_one_client() -> None:
    join("ada")
    answers = [guess("ada", f"2001:db8:1:2::{n:x}") for n in range(1, 8)]
    assert answers == ["wrong"] * 5 + ["wait"] * 2
    assert rate_limits.client_network("::ffff:10.0.0.1") == "10.0.0.1"


@pytest.mark.parametrize("cookie", ["", "x", "é" * 40, "A" * 10_000])
def test_a_foreign_device_cookie_is_none(cookie: str) -> None:
    assert read_device_cookie(cookie) is None
    assert read_device_cookie(seal({"user": 1, "device": "x"})) is None


def test_an_address_makes_only_so_many_accounts() -> None:
    few = Settings(signups_per_hour=3)
    for n in range(3):
        join(f"person{n}", "10.0.0.1", few)
    with pytest.raises(TooMany) as refused:
        join("one-more", "10.0.0.1", few)
    assert refused.value.retry_after_s > 60
    assert "minutes" in refused.value.message
    join("another", "10.0.0.2", few)


def test_all_addresses_together_make_only_so_many_accounts() -> None:
    few = Settings(signups_per_hour=1)
    for n in range(10):
        join(f"person{n}", f"10.0.1.{n}", few)
    with pytest.raises(TooMany):
        join("one-more", "10.0.2.1", few)
    join("unlimited", "10.0.2.1", Settings(signups_per_hour=0))
