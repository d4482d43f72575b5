"""The order of messages that many people's work waits in: in turns by person, and by size (self-clocked fair queueing).

Each message gets a finish time on a clock of its own: that of the person's message before it, or of the message that a
worker took last, plus what it costs. The queue is kept in the order of these times, so that ten large archives of one
person stand behind the small one of another, and nobody waits for ever (Golestani 1994).
"""

from dataclasses import dataclass

import redis

_STEP_BYTES = 256 * 2**20
UNKNOWN_BYTES = 4 * _STEP_BYTES
"""Assumed of what is downloaded first."""
_TTL_S = 86_400
_PLACE = """
local function number(text) return tonumber(text or '0') or 0 end
local queue, finish, clock = KEYS[1], KEYS[2], KEYS[3]
local message, person, cost = ARGV[1], ARGV[2], tonumber(ARGV[3])
local waiting, waits = redis.call('LRANGE', queue, 0, -1), {}
for _, name in ipairs(waiting) do waits[name] = true end
local now, known = number(redis.call('HGET', clock, 'now')), redis.call('HGETALL', finish)
for i = 1, #known, 2 do
  if not waits[known[i]] then
    now = math.max(now, number(known[i + 1]))
    redis.call('HDEL', finish, known[i])
  end
end
local mine = math.max(now, number(redis.call('HGET', clock, person))) + cost
local taken = redis.call('LREM', queue, 0, message) == 0
redis.call('HSET', clock, person, tostring(mine), 'now', tostring(taken and mine or now))
redis.call('EXPIRE', clock, ARGV[4])
if taken then return end
redis.call('HSET', finish, message, tostring(mine))
redis.call('EXPIRE', finish, ARGV[4])
for _, name in ipairs(waiting) do
  if name ~= message and number(redis.call('HGET', finish, name)) > mine then
    redis.call('LINSERT', queue, 'BEFORE', name, message)
    return
  end
end
redis.call('RPUSH', queue, message)
"""


@dataclass(frozen=True, slots=True)
class Share:
    """Whose work a message is, and how much.

    Attributes:
        person: the id of the user; 0 for work of the studio itself.
        size_bytes: what is read or downloaded.
    """

    person: int
    size_bytes: int = 0

    @property
    def cost(self) -> float:
        """One for the turn, and one more for each 256 MiB."""
        return 1 + self.size_bytes / _STEP_BYTES


def insert_in_turn(client: redis.Redis, queue: str, message: str, share: Share) -> None:
    """Moves a message from the end of the queue to its place; does nothing when a worker has taken it already.

    Args:
        queue: the key of the list that the workers take from the left.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    keys = (queue, f"{queue}:finish-times", f"{queue}:clock")
    client.eval(_PLACE, len(keys), *keys, message, str(share.person), str(share.cost), str(_TTL_S))
