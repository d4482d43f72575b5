"""Messages wait in turns by person and by size; none of them waits for ever."""

from typing import Any

import pytest

from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST, queue_name
from orchestrator.services.fair_turns import UNKNOWN_BYTES, Share, insert_in_turn
from orchestrator.services.queue import enqueue, withdraw
from tests.studio import RedisProcess

LIST = f"rq:queue:{queue_name(PREP)}"
GIB = 2**30


def send(name: str, person: int, size_bytes: int = 0) -> None:
    assert enqueue(TASK_INGEST, name, PREP, Share(person, size_bytes), dataset_id=1)


def waiting(server: RedisProcess) -> list[str]:
    names: Any = server.client().lrange(LIST, 0, -1)
    return [raw.decode() for raw in names]


def take(server: RedisProcess) -> str:
    name: Any = server.client().lpop(LIST)
    return name.decode()


def test_a_flood_of_one_person_stands_behind_the_first_of_another(redis_server: RedisProcess) -> None:
    for number in range(7):
        send(f"ada-{number}", 1, GIB)
    assert take(redis_server) == "ada-0"
    send("bob-0", 2, 2**20)
    send("bob-1", 2, 2**20)
    assert waiting(redis_server)[:3] == ["bob-0", "bob-1", "ada-1"]
    send("eve-0", 3, GIB)
    assert [take(redis_server) for _ in range(4)] == ["bob-0", "bob-1", "ada-1", "eve-0"]


def test_people_with_equal_work_take_turns(redis_server: RedisProcess) -> None:
    for person in (1, 2):
        for number in range(3):
            send(f"{person}-{number}", person, GIB)
    assert waiting(redis_server) == ["1-0", "2-0", "1-1", "2-1", "1-2", "2-2"]


def test_a_large_one_is_not_overtaken_for_ever(redis_server: RedisProcess) -> None:
    send("large", 1, 4 * GIB)
    taken: list[str] = []
    for number in range(40):
        send(f"small-{number}", 2)
        taken.append(take(redis_server))
    assert "large" in taken
    assert 10 < taken.index("large") < 20, "as much small work goes first as it costs"


def test_work_of_a_person_stays_in_its_order(redis_server: RedisProcess) -> None:
    send("large", 1, UNKNOWN_BYTES)
    send("small", 1)
    assert waiting(redis_server) == ["large", "small"]


def test_what_was_withdrawn_or_came_without_a_share_holds_nothing_up(redis_server: RedisProcess) -> None:
    send("ada", 1, 100 * GIB)
    withdraw("ada", PREP)
    assert enqueue(TASK_INGEST, "demo", PREP)
    send("bob", 2)
    assert waiting(redis_server) == ["demo", "bob"]
    assert redis_server.client().hkeys(f"{LIST}:finish-times") == [b"bob"]


@pytest.mark.parametrize("size_bytes", [0, 1, 2**40])
def test_a_message_that_a_worker_took_at_once_is_not_put_back(redis_server: RedisProcess, size_bytes: int) -> None:
    insert_in_turn(redis_server.client(), LIST, "taken", Share(1, size_bytes))
    assert waiting(redis_server) == []
