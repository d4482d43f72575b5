"""Curves without a hole from SQL and stream; ingesting twice changes nothing; logs page both ways."""

import json
from pathlib import Path

import pytest

from orchestrator.domain.errors import NotFound
from orchestrator.domain.live_records import LIVE_KINDS, RUN_KINDS, MetricRecord, pack, unpack, unpack_run_record
from orchestrator.domain.redis_keys import job_stream
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.downsample import min_max
from orchestrator.services.metrics.history import history
from orchestrator.services.metrics.ingest import MetricsFile, merge_summary, store
from orchestrator.services.metrics.logs import tail
from orchestrator.services.metrics.rollups import newest_seq
from tests import records
from tests.studio import RedisProcess, launch, make_person, make_things


def metric(job_id: int, seq: int, step: int | None = None, loss: float = 1.0) -> MetricRecord:
    return records.metric(job_id, seq, step, loss=loss, eval_accuracy=0.5)


def test_sql_and_stream_make_one_curve(redis_server: RedisProcess, ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    client = redis_server.client()
    for seq in range(1, 1_301):  # more than one chunk of the stream
        client.xadd(job_stream(job_id), {"d": pack(metric(job_id, seq))})
    with session_scope() as session:
        store(session, job_id, [metric(job_id, seq) for seq in range(1, 101)])
    with session_scope() as session:
        whole = history(session, ada, job_id, points=5_000)
        assert [step for step, _ in whole.series["loss"]] == list(range(1, 1_301))
        assert whole.last_seq == 1_300
        newer = history(session, ada, job_id, ["loss"], after_seq=1_290)
        assert [step for step, _ in newer.series["loss"]] == list(range(1_291, 1_301))
        assert list(newer.series) == ["loss"]
        assert len(history(session, ada, job_id, ["loss"], points=100).series["loss"]) <= 100


def test_without_redis_sql_answers(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        store(session, job_id, [metric(job_id, 1), metric(job_id, 2)])
        assert history(session, ada, job_id).last_seq == 2


def test_a_stranger_sees_no_curve(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    eve = make_person("eve")
    with session_scope() as session:
        for read in (history, tail):
            with pytest.raises(NotFound):
                read(session, eve, job_id)


def test_storing_twice_changes_nothing(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    run = [metric(job_id, seq, loss=1 / seq) for seq in range(1, 400)]
    with session_scope() as session:
        store(session, job_id, run)
        facts = store(session, job_id, run)
        assert newest_seq(session, job_id) == 399
        assert (facts.step, facts.values["loss"]) == (399, 1 / 399)
        assert len(history(session, ada, job_id).series["loss"]) == 399


def test_a_resumed_attempt_overwrites_what_it_trains_again(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        store(session, job_id, [metric(job_id, 1, 10, 0.9), metric(job_id, 2, 20, 0.8)])
        store(session, job_id, [metric(job_id, 3, 20, 0.7)])
        assert history(session, ada, job_id).series["loss"] == [[10, 0.9], [20, 0.7]]


def test_best_values_are_stored() -> None:
    from orchestrator.services.metrics.ingest import BatchSummary

    first = merge_summary(RunSummary(), BatchSummary(values={"eval_accuracy": 0.9, "eval_loss": 0.3}))
    second = merge_summary(first, BatchSummary(values={"eval_accuracy": 0.8, "eval_loss": 0.2}))
    assert (second.best("eval_accuracy"), second.best("eval_loss"), second.value("eval_accuracy")) == (0.9, 0.2, 0.8)


def test_the_file_is_read_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    reader = MetricsFile(path)
    assert reader.read() == []
    path.write_bytes(pack(metric(1, 1)) + b"\n" + pack(metric(1, 2))[:20])
    assert [r["seq"] for r in reader.read()] == [1]
    with path.open("ab") as file:
        file.write(pack(metric(1, 2))[20:] + b"\nrubbish\n" + pack(metric(1, 3)) + b"\n")
    assert [r["seq"] for r in reader.read()] == [2, 3]
    reader.rewind()
    assert [r["seq"] for r in reader.read()] == [1, 2, 3]
    reader.settle()
    reader.rewind()
    assert reader.read() == []


def test_a_record_that_is_not_finite_is_packed_as_null() -> None:
    expected = metric(1, 1) | {"values": {"loss": None, "eval_accuracy": 0.5}}
    assert unpack(pack(metric(1, 1, loss=float("nan")))) == expected


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"job": "1", "kind": "metric"}', b'{"job": 1, "kind": "rumour"}'])
def test_what_is_no_record_is_skipped(raw: bytes) -> None:
    assert unpack(raw) is None


def test_only_a_trainer_writes_the_metrics_file() -> None:
    assert RUN_KINDS < LIVE_KINDS
    assert "gap" not in LIVE_KINDS, "a gap is made in memory"
    assert unpack_run_record(pack(records.status())) is None
    assert unpack_run_record(pack(metric(1, 1))) == metric(1, 1)


def test_min_max_keeps_spikes_and_ends() -> None:
    curve = [[float(i), 1.0] for i in range(10_000)]
    curve[5_000][1], curve[7_001][1] = 99.0, -99.0
    thin = min_max(curve, 100)
    assert len(thin) <= 100
    assert thin[0] == curve[0]
    assert thin[-1] == curve[-1]
    assert {99.0, -99.0} <= {value for _, value in thin}
    assert thin == sorted(thin)


def test_the_log_pages_both_ways(home: Path, ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    path = home / "jobs" / str(job_id) / "log.jsonl"
    with session_scope() as session:
        assert tail(session, ada, job_id).lines == []
        path.parent.mkdir(parents=True)
        lines = [json.dumps({"t": "2026", "level": "info", "message": f"line {i} ü"}) for i in range(5_000)]
        path.write_text("\n".join(lines) + "\nhalf a li")
        newest = tail(session, ada, job_id, 100)
        assert [row.message for row in newest.lines] == [f"line {i} ü" for i in range(4_900, 5_000)]
        seen, marker = newest.lines, newest.before
        while marker is not None:
            page = tail(session, ada, job_id, 700, before=marker)
            seen, marker = page.lines + seen, page.before
        assert [row.message for row in seen] == [f"line {i} ü" for i in range(5_000)]
        with path.open("a") as file:
            file.write("ne\n")
        later = tail(session, ada, job_id, after=newest.after)
        assert [row.message for row in later.lines] == ["half a line"]
        assert tail(session, ada, job_id, after=later.after).lines == []
