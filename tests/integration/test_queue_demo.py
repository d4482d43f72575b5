"""First start: the controller asks for the demo, the prep worker draws it, and everyone has it exactly once."""

from pathlib import Path

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.demo import create_demo
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, make_person, start_controller, start_prep_worker, until


@pytest.mark.slow
def test_the_demo_is_drawn_once_for_everyone(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: list[AnyProcess]
) -> None:
    with session_scope() as session:
        early = create_demo(session, ada.user_id)
        assert session.get_one(Dataset, early).status is DatasetStatus.PROCESSING
    start_controller(processes, home)
    start_prep_worker(processes, home)

    def is_ready() -> bool:
        with session_scope() as session:
            return session.get_one(Dataset, early).status is DatasetStatus.READY

    until(is_ready, 120, "the demo is drawn")
    eve = make_person("eve")
    with session_scope() as session:
        late = create_demo(session, eve.user_id)
        assert session.get_one(Dataset, late).status is DatasetStatus.READY
        for dataset_id in (early, late):
            dataset = session.get_one(Dataset, dataset_id)
            clips = session.exec(select(Clip).where(Clip.dataset_id == dataset_id)).all()
            assert (dataset.clip_count, len(clips), len(dataset.class_names)) == (240, 240, 4)
        root = get_settings().storage_dir
        assert all((root / clip.path).is_file() and (root / clip.thumbnail_path).is_file() for clip in clips)
