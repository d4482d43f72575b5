"""The open questions of each user: at most `MAX_OPEN` at a time, each with an expiry of its own.

A sorted set in Redis holds the ids of a user's open questions with the time at which each expires. A client
that waits for an answer renews its own question only, so that an abandoned one expires, whatever happened to its
web process, and a refused question changes nothing.
"""

from typing import Any

from orchestrator.domain.errors import TooMany
from orchestrator.domain.redis_keys import playground_open

MAX_OPEN = 8
"""Questions of one user at a time."""
EXPIRY_S = 15
"""Seconds for which a question stays open without being renewed."""
_OPEN = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_RENEW = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


async def open_question(client: Any, user_id: int, question_id: str) -> None:
    """Counts a question as open.

    Raises:
        TooMany: the user has `MAX_OPEN` open questions already.
    """
    if not await client.eval(_OPEN, 1, playground_open(user_id), question_id, MAX_OPEN, EXPIRY_S):
        raise TooMany(f"You have {MAX_OPEN} open questions. Wait for an answer, then ask the next one.", 5)


async def renew_question(client: Any, user_id: int, question_id: str) -> None:
    """Keeps a question open for another `EXPIRY_S` seconds."""
    await client.eval(_RENEW, 1, playground_open(user_id), question_id, EXPIRY_S)
