"""Only the current attempt's checkpoints count; what a fenced attempt saves is never resumed from, nor deleted for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session, select

from orchestrator.domain.attempts import Checkpoint
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.checkpoints import (
    checkpoints_to_resume_from,
    complete_checkpoints,
    saved_step,
    take_in_newest,
)
from orchestrator.services.attempts.ended import start_attempt
from orchestrator.services.attempts.folders import attempt_folder
from orchestrator.services.db import engine, session_scope
from orchestrator.services.training import lifecycle
from orchestrator.services.training.jobs import delete_job
from tests.fakes.checkpoints import save_checkpoint
from tests.unit.services.training.test_lifecycle import make_job


def new_job(actor: Actor, status: JobStatus = JobStatus.RUNNING, attempt: int = 1) -> int:
    with session_scope() as session:
        return make_job(session, actor, status, attempt)


def take_in(job_id: int, attempt: int) -> None:
    with session_scope() as session:
        take_in_newest(session, job_id, attempt)


def resumed_from(job_id: int) -> list[Path]:
    with session_scope() as session:
        return checkpoints_to_resume_from(session, job_id)


def lose(job_id: int, attempt: int) -> None:
    with session_scope() as session:
        assert lifecycle.mark_lost(session, job_id, attempt, "Silent.") is JobStatus.QUEUED


def claim(job_id: int, attempt: int) -> Path:
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, attempt, "w")
        return start_attempt(session, job_id, attempt)


def test_a_checkpoint_counts_once(ada: Actor) -> None:
    job_id = new_job(ada)
    folder = save_checkpoint(job_id, 1, 12)
    take_in(job_id, 1)
    take_in(job_id, 1)
    with session_scope() as session:
        (row,) = session.exec(select(Checkpoint)).all()
        assert (row.attempt, row.step, row.path, row.bytes) == (1, 12, "a1/checkpoints/checkpoint-12", len("weights"))
        assert saved_step(session, job_id) == 12
    assert resumed_from(job_id) == [folder]


@pytest.mark.parametrize(("status", "counts"), [(s, s in ON_WORKER) for s in JobStatus])
def test_a_checkpoint_counts_only_while_the_attempt_holds_the_job(ada: Actor, status: JobStatus, counts: bool) -> None:
    job_id = new_job(ada, status)
    save_checkpoint(job_id, 1, 12)
    take_in(job_id, 1)
    assert bool(resumed_from(job_id)) is counts


def test_what_a_fenced_attempt_saves_does_not_count(ada: Actor) -> None:
    """The very case: the first worker is cut off, saves and prunes on, while the second one trains."""
    job_id = new_job(ada)
    good = save_checkpoint(job_id, 1, 12)
    lose(job_id, 1)
    late = save_checkpoint(job_id, 1, 24)
    second = claim(job_id, 2)
    assert resumed_from(job_id) == [good]
    save_checkpoint(job_id, 1, 36)
    take_in(job_id, 1)
    assert resumed_from(job_id) == [good]
    assert good.exists()
    save_checkpoint(job_id, 2, 24)
    save_checkpoint(job_id, 2, 36)
    take_in(job_id, 2)
    assert resumed_from(job_id) == [second / "checkpoints" / f"checkpoint-{step}" for step in (36, 24)]
    assert not good.exists()
    assert late.exists()


def test_the_end_of_an_attempt_takes_in_what_lay_there(ada: Actor) -> None:
    """A crash between the checkpoint and its row: the transaction that ends the attempt counts it."""
    job_id = new_job(ada)
    saved = [save_checkpoint(job_id, 1, step) for step in (12, 24)]
    lose(job_id, 1)
    assert resumed_from(job_id) == saved[::-1]


@pytest.mark.parametrize("end", [lifecycle.complete, lifecycle.mark_stopped], ids=["completed", "stopped"])
def test_every_end_takes_in_what_lay_there(ada: Actor, end: Callable[..., bool]) -> None:
    job_id = new_job(ada)
    save_checkpoint(job_id, 1, 12)
    with session_scope() as session:
        assert end(session, job_id, 1, "Ended.")
    save_checkpoint(job_id, 1, 24)
    with session_scope() as session:
        assert saved_step(session, job_id) == 12


def test_the_newest_two_stay(ada: Actor) -> None:
    job_id = new_job(ada)
    for step in (4, 8, 12):
        save_checkpoint(job_id, 1, step)
        take_in(job_id, 1)
    folder = attempt_folder(job_id, 1)
    assert sorted(complete_checkpoints(folder)) == [8, 12]
    part = folder / "checkpoints" / ".part" / "checkpoint-16"
    part.mkdir(parents=True)
    save_checkpoint(job_id, 1, 20)
    take_in(job_id, 1)
    assert part.exists()


def test_the_best_stays_until_a_better_one_replaces_it(ada: Actor) -> None:
    """Also over an end of its attempt: the next attempt saves newer ones, which still name it."""
    job_id = new_job(ada)
    for step in (4, 8, 12, 16):
        save_checkpoint(job_id, 1, step, best=4)
        take_in(job_id, 1)
    first = attempt_folder(job_id, 1)
    assert sorted(complete_checkpoints(first)) == [4, 12, 16]
    lose(job_id, 1)
    claim(job_id, 2)
    for step in (16, 20, 24):
        save_checkpoint(job_id, 2, step, best=4)
        take_in(job_id, 2)
    second = attempt_folder(job_id, 2) / "checkpoints"
    best = first / "checkpoints" / "checkpoint-4"
    assert resumed_from(job_id) == [second / "checkpoint-24", second / "checkpoint-20", best]
    for step in (28, 32):
        save_checkpoint(job_id, 2, step, best=24)
        take_in(job_id, 2)
    assert resumed_from(job_id) == [second / f"checkpoint-{step}" for step in (32, 28, 24)]
    assert not best.exists()


def test_files_go_only_with_the_commit(ada: Actor) -> None:
    job_id = new_job(ada)
    for step in (4, 8, 12):
        save_checkpoint(job_id, 1, step)
    with Session(engine()) as session:
        take_in_newest(session, job_id, 1)
        session.rollback()
    assert sorted(complete_checkpoints(attempt_folder(job_id, 1))) == [4, 8, 12]
    assert resumed_from(job_id) == []


@pytest.mark.parametrize("damage", ["cut", "absent", "listing"])
def test_an_incomplete_checkpoint_does_not_count(ada: Actor, damage: str) -> None:
    job_id = new_job(ada)
    folder = save_checkpoint(job_id, 1, 12)
    match damage:
        case "cut":
            (folder / "adapter_model.safetensors").write_text("wei")
        case "absent":
            (folder / "adapter_model.safetensors").unlink()
        case _:
            (folder / "whole.json").write_text("[1")
    take_in(job_id, 1)
    assert resumed_from(job_id) == []


def test_checkpoints_of_version_0_1_count_once(ada: Actor) -> None:
    job_id = new_job(ada, JobStatus.QUEUED)
    former = save_checkpoint(job_id, 0, 8)
    claim(job_id, 2)
    save_checkpoint(job_id, 0, 99)
    assert resumed_from(job_id) == [former]
    lose(job_id, 2)
    claim(job_id, 3)
    assert resumed_from(job_id) == [former]


def test_rows_go_with_their_job(ada: Actor) -> None:
    job_id = new_job(ada)
    save_checkpoint(job_id, 1, 12)
    with session_scope() as session:
        lifecycle.complete(session, job_id, 1)
    with session_scope() as session:
        delete_job(session, ada, job_id)
    with session_scope() as session:
        assert session.exec(select(Checkpoint)).all() == []
    assert not attempt_folder(job_id, 1).exists()
