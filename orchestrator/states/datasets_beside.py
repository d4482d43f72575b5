"""What a dataset's page holds beside its clips: states that know the page, so that they are imported when asked for."""

from typing import Any

import reflex as rx


def beside() -> tuple[type[rx.State], ...]:
    """What is forgotten when the page shows another dataset."""
    from orchestrator.states.datasets.clips import DatasetClips
    from orchestrator.states.datasets.doctor import DatasetDoctor
    from orchestrator.states.datasets.reading import DatasetReading
    from orchestrator.states.datasets.frame_preview import DatasetSeen
    from orchestrator.states.datasets.versions import DatasetVersions

    return DatasetClips, DatasetDoctor, DatasetReading, DatasetSeen, DatasetVersions


def look(dataset_id: int) -> Any:
    """The doctor examines it."""
    from orchestrator.states.datasets.doctor import DatasetDoctor

    return DatasetDoctor.look(dataset_id)
