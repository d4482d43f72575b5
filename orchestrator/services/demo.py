"""Where "Train the demo in one click" leads: the person's demo dataset and the base that fits it."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Dataset, DatasetStatus, Task
from orchestrator.domain.models import ModelSource, ModelStatus, ModelType, VideoModel
from orchestrator.domain.users import Actor


@dataclass(frozen=True)
class Demo:
    """`href` is "" while there is nothing to train yet."""

    href: str = ""
    waiting: bool = False
    """True while the demo's clips are being drawn."""


def find_demo(session: Session, actor: Actor) -> Demo:
    """The wizard's address with the demo chosen."""
    own = select(Dataset).where(
        Dataset.owner_id == actor.user_id, col(Dataset.is_demo), Dataset.task == Task.CLASSIFICATION
    )
    dataset = session.exec(own).first()
    builtin = (
        VideoModel.source == ModelSource.BUILTIN,
        VideoModel.status == ModelStatus.READY,
        VideoModel.model_type == ModelType.CLASSIFICATION,
    )
    model = session.exec(select(VideoModel).where(*builtin).order_by(col(VideoModel.id))).first()
    if dataset is None or model is None:
        return Demo()
    if dataset.status is not DatasetStatus.READY:
        return Demo(waiting=dataset.status is DatasetStatus.PROCESSING)
    return Demo(href=f"/jobs/new?dataset={dataset.id}&model={model.id}")
