"""The target of "Train the demo in one click": the user's demo dataset and the built-in base that fits it."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS
from orchestrator.domain.users import Actor


@dataclass(frozen=True)
class Demo:
    """`href`: the address of the job form with both chosen; "" while there is nothing to train yet."""

    href: str = ""
    waiting: bool = False
    """True while the clips of the demo are being generated."""
    dataset_id: int = 0
    model_id: int = 0
    task: str = DEFAULT_TASK


def find_demo(session: Session, actor: Actor) -> Demo:
    """The actor's demo dataset and a base of the default task, as the address of a new job."""
    own = select(Dataset).where(Dataset.owner_id == actor.user_id, col(Dataset.is_demo), Dataset.task == DEFAULT_TASK)
    dataset = session.exec(own).first()
    builtin = (
        VideoModel.source == ModelSource.BUILTIN,
        VideoModel.status == ModelStatus.READY,
        VideoModel.model_type == TASKS[DEFAULT_TASK].model_type,
    )
    model = session.exec(select(VideoModel).where(*builtin).order_by(col(VideoModel.id))).first()
    if dataset is None or model is None:
        return Demo()
    if dataset.status is not DatasetStatus.READY:
        return Demo(waiting=dataset.status is DatasetStatus.PROCESSING)
    address = f"/jobs/new?dataset={dataset.id}&model={model.id}"
    return Demo(address, dataset_id=dataset.id or 0, model_id=model.id or 0)
