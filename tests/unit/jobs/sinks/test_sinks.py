"""Records are numbered across attempts, survive a cut line, and a Redis that is away costs nothing."""

import json
import time
from pathlib import Path
from typing import Any

from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.recorder import Recorder
from jobs.sinks.redis_stream import RedisSink
from jobs.sinks.tensorboard import write_events
from orchestrator.domain.live_records import unpack
from tests.studio import RedisProcess, until


def test_numbers_go_on_after_a_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    first = Recorder(1, 1, [JsonlSink(path)], last_seq(path))
    first.metric(1, 10, 0.1, {"loss": 1.0, "grad_norm": float("nan")})
    first.metric(2, 10, 0.2, {"loss": 0.9})
    with path.open("a") as file:
        file.write('{"job": 1, "attempt": 1, "se')
    second = Recorder(1, 2, [JsonlSink(path)], last_seq(path))
    second.metric(2, 10, 0.2, {"loss": 0.9})
    lines = map(unpack, path.read_text().splitlines())
    metrics = [record for record in lines if record and record["kind"] == "metric"]
    assert [(r["attempt"], r["seq"], r["step"]) for r in metrics] == [(1, 1, 1), (1, 2, 2), (2, 3, 2)]
    assert metrics[0]["values"] == {"loss": 1.0}


def test_redis_gets_both_streams_and_sees_a_stop(redis_server: RedisProcess) -> None:
    client: Any = redis_server.client()
    url = f"unix://{client.connection_pool.connection_kwargs['path']}"
    sink = RedisSink(url, ["live", "job"], 1000, "stop")
    recorder = Recorder(4, 1, [sink])
    for step in range(1, 31):
        recorder.metric(step, 30, step / 10, {"loss": 1 / step})
    client.set("stop", "1")
    until(lambda: sink.stop_asked, 60)
    recorder.close()
    for name in ("live", "job"):
        seqs = [json.loads(fields[b"d"])["seq"] for _, fields in client.xrange(name)]
        assert seqs == list(range(1, 31))
    assert client.ttl("job") > 0


def test_redis_away_never_slows_a_step(tmp_path: Path) -> None:
    recorder = Recorder(4, 1, [RedisSink(f"unix://{tmp_path}/none.sock", ["live"], 1000)])
    begun = time.monotonic()
    for step in range(2_000):
        recorder.metric(step, 30, 0.1, {"loss": 1.0})
    assert time.monotonic() - begun < 20
    recorder.close()
    assert time.monotonic() - begun < 60


def test_tensorboard_keeps_the_newest_value(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    recorder = Recorder(1, 1, [JsonlSink(path)])
    recorder.metric(1, 2, 0.1, {"loss": 1.0})
    recorder.metric(1, 2, 0.1, {"loss": 0.5, "grad_norm": 2.0})
    assert write_events(path, tmp_path / "board") == 2
    assert len(list((tmp_path / "board").iterdir())) == 1
