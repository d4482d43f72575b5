"""The page of a dataset with 10,000 clips: server time of its first grid and of the doctor's findings."""

import statistics

from benchmarks.ledger import ledger, milliseconds
from benchmarks.target import Target
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.doctor import examine
from orchestrator.services.db import session_scope

TARGETS: dict[str, Target] = {"first_grid_ms": {"max": 300.0}}
CLIPS, CLASSES, TURNS = 10_000, 40, 5


def _fill(actor: Actor) -> int:
    with session_scope() as session:
        names = [f"class {i:02d}" for i in range(CLASSES)]
        dataset = Dataset(owner_id=actor.user_id, name="large", status=DatasetStatus.READY, class_names=names)
        dataset.clip_count = CLIPS
        session.add(dataset)
        session.flush()
        session.add_all(
            Clip(
                dataset_id=dataset.id or 0,
                name=f"{names[i % CLASSES]}/{i:05d}.mp4",
                path=f"x/{i}.mp4",
                thumbnail_path=f"x/{i}.jpg",
                label=names[i % CLASSES],
                frames=80,
                duration_s=2 + (i % 50) / 10,
                perceptual_hash=f"{(i * 0x9E3779B97F4A7C15) ** 4 & (2**256 - 1):064x}",
            )
            for i in range(CLIPS)
        )
        return dataset.id or 0


def run() -> dict[str, float]:
    """Milliseconds, median of five visits: the rows of the first grid with its figures; the doctor, read afterwards."""
    from orchestrator.states.datasets.clip_filters import ClipFilters
    from orchestrator.states.datasets.detail import _read
    from orchestrator.states.shared.paging import PAGE_SIZE

    with ledger() as actor:
        dataset_id = _fill(actor)

        def grid() -> None:
            with session_scope() as session:
                assert len(_read(session, actor, dataset_id, ClipFilters(), PAGE_SIZE).clips.items) == PAGE_SIZE

        def doctor() -> None:
            with session_scope() as session:
                examine(session, actor, dataset_id)

        figures = {"first_grid_ms": milliseconds(grid, TURNS), "doctor_ms": milliseconds(doctor, TURNS)}
        return {name: round(statistics.median(times), 1) for name, times in figures.items()}
