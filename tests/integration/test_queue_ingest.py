"""A zip of real videos goes through the real prep worker; a killed one is taken up again."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus
from orchestrator.domain.redis_keys import TASK_INGEST, queue_name
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.ingest.uploads import request_ingest
from orchestrator.services.db import session_scope
from orchestrator.services.queue import enqueue, ingest_key
from tests.fakes.uploads import uploaded_dataset
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, make_person, start_controller, start_prep_worker, until

Processes = list[AnyProcess]


def uploaded_motions(actor: Actor, folder: Path) -> int:
    """A dataset of two motions with four clips each, and two files that are no clips."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        path = folder
        for motion in ("circling", "zooming"):
            for number in range(4):
                path = write_mp4(folder / f"{motion}{number}.mp4", demo_frames(motion, number))
                archive.write(path, f"{motion}/{number}.mp4")
        archive.writestr("circling/cut.mp4", (folder / "zooming0.mp4").read_bytes()[:2_000])
        archive.writestr("circling/words.mp4", b"these are words")
    return uploaded_dataset(actor, {"all.zip": buffer.getvalue()})


def status_of(dataset_id: int) -> DatasetStatus:
    with session_scope() as session:
        return session.get_one(Dataset, dataset_id).status


def check(dataset_id: int) -> None:
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        assert dataset.status is DatasetStatus.READY, dataset.error
        assert (dataset.clip_count, dataset.bad_count) == (8, 2)
        bad = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.BAD)
        assert all(clip.problem for clip in session.exec(bad))


def test_real_videos(home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes, tmp_path: Path) -> None:
    dataset_id = uploaded_motions(ada, tmp_path)
    start_prep_worker(processes, home)
    enqueue(TASK_INGEST, ingest_key(dataset_id), "prep", dataset_id=dataset_id)
    until(lambda: status_of(dataset_id) is not DatasetStatus.PROCESSING, 30)
    check(dataset_id)


def test_one_persons_archives_do_not_hold_up_another(redis_server: RedisProcess, ada: Actor) -> None:
    bob = make_person("bob")
    crowd = [uploaded_dataset(ada, {"a.zip": bytes(2_000)}, name=f"crowd {number}") for number in range(3)]
    own = uploaded_dataset(bob, {"b.mp4": bytes(1_000)})
    for actor, dataset_id in [*((ada, dataset_id) for dataset_id in crowd), (bob, own)]:
        with session_scope() as session:
            session.get_one(Dataset, dataset_id).status = DatasetStatus.DRAFT
            session.flush()
            request_ingest(session, actor, dataset_id)
    names: Any = redis_server.client().lrange(f"rq:queue:{queue_name('prep')}", 0, -1)
    assert [raw.decode() for raw in names].index(ingest_key(own)) < 2


@pytest.mark.slow
def test_a_lost_message_is_sent_again(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes, tmp_path: Path
) -> None:
    dataset_id = uploaded_motions(ada, tmp_path)
    (home / "storage" / "demo").mkdir(parents=True)
    (home / "storage" / "demo" / "manifest.json").write_text("[]")  # no demo now
    start_prep_worker(processes, home)
    start_controller(processes, home)
    until(lambda: status_of(dataset_id) is not DatasetStatus.PROCESSING, 40)
    check(dataset_id)
