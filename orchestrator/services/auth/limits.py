"""Limits of logins and sign-ups.

Wrong passwords are counted for each pair of account and address, for the account over all addresses, and for the
address over all accounts. A browser that has logged in to the account before brings a device cookie and has a count of
its own, and an address where the account is signed in is no stranger to it: other people's guesses lock neither of them
out (OWASP's device cookies). An account is one account whether its username or its e-mail was typed.
"""

from dataclasses import dataclass

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from orchestrator.domain.errors import TooMany
from orchestrator.services import rate_limits
from orchestrator.services.rate_limits import client_network

log = structlog.get_logger(__name__)

PAIR = (
    RateLimitItemPerMinute(5, namespace="login-account"),
    RateLimitItemPerMinute(8, 15, namespace="login-account"),
    RateLimitItemPerHour(16, namespace="login-account"),
)
"""Of one address or device at one account: the wait grows from a minute to an hour."""
ACCOUNT = (RateLimitItemPerMinute(20, 15, namespace="login-all"),)
"""Of all strangers together at one account; one address alone cannot use it up."""
ADDRESS = (
    RateLimitItemPerMinute(30, namespace="login-address"),
    RateLimitItemPerHour(200, namespace="login-address"),
)
"""Of one address at all accounts."""
_SENTENCE = "Too many failed attempts. Try again in {wait}."
_SIGNUPS = "Too many accounts were made here in the last hour. Try again in {wait}."
OVERALL_FACTOR = 10
"""How many times as many accounts all addresses together may make."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login: at which account, from where.

    Attributes:
        account: the account's id, or a digest of the name that was typed when there is none.
        ip: the client's address.
        device: the id in its device cookie when that is of this account, else "".
        familiar: the account is signed in at this address.
    """

    account: str
    ip: str
    device: str = ""
    familiar: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """What counts the attempts of this client at this account."""
        return self.account, f"device {self.device}" if self.device else client_network(self.ip)

    @property
    def is_stranger(self) -> bool:
        """Whether it shares the account's count with all other strangers."""
        return not self.device and not self.familiar


def begin_attempt(attempt: Attempt) -> None:
    """Counts a login before its password is verified: of a hundred guesses sent at once, at most five are answered.

    Raises:
        TooMany: `retry_after_s` says when the next attempt is possible.
    """
    try:
        if not attempt.device:
            rate_limits.check(ADDRESS, client_network(attempt.ip), sentence=_SENTENCE)
        rate_limits.take(PAIR, *attempt.pair, sentence=_SENTENCE)
        if attempt.is_stranger:
            rate_limits.take(ACCOUNT, attempt.account, sentence=_SENTENCE)
    except TooMany as refused:
        log.info("login.refused", account=attempt.account, client=attempt.ip, retry_after_s=refused.retry_after_s)
        raise


def attempt_failed(attempt: Attempt) -> None:
    """The password was wrong; account and pair were counted by `begin_attempt`."""
    if not attempt.device:
        # A refusal here is the next attempt's: this one has its answer.
        for limit in ADDRESS:
            _count(limit, client_network(attempt.ip))


def attempt_succeeded(attempt: Attempt) -> None:
    """Forgets the failures of this client at this account.

    Those of the address stay: logging in to one's own account must not reset a limit on guessing at others.
    """
    rate_limits.clear(PAIR, *attempt.pair)
    if attempt.is_stranger:
        rate_limits.give_back(ACCOUNT, attempt.account)


def begin_confirmation(user_id: int) -> None:
    """Counts one password that a signed-in user gives to confirm a change.

    Raises:
        TooMany: as `begin_attempt`.
    """
    rate_limits.take(PAIR, f"password-of-{user_id}", sentence=_SENTENCE)


def confirmation_succeeded(user_id: int) -> None:
    """Forgets the wrong ones."""
    rate_limits.clear(PAIR, f"password-of-{user_id}")


def begin_signup(ip: str, per_hour: int) -> None:
    """Counts an account that is about to be made.

    Args:
        ip: the client's address; "" for our own code, which is not limited.
        per_hour: how many one address may make in an hour; 0: any number.

    Raises:
        TooMany: `retry_after_s` says when the next one is possible.
    """
    if not ip or not per_hour:
        return
    try:
        rate_limits.take(
            (RateLimitItemPerHour(per_hour, namespace="signup-address"),), client_network(ip), sentence=_SIGNUPS
        )
        overall = RateLimitItemPerHour(per_hour * OVERALL_FACTOR, namespace="signup")
        rate_limits.take((overall,), "all", sentence=_SIGNUPS)
    except TooMany as refused:
        log.info("signup.refused", client=ip, retry_after_s=refused.retry_after_s)
        raise


def _count(limit: RateLimitItem, *key: str) -> None:
    try:
        rate_limits.take((limit,), *key, sentence=_SENTENCE)
    except TooMany:
        return


def forget_clients() -> None:
    """Drops the cached clients, after settings have changed (tests)."""
    rate_limits.forget_counts()
