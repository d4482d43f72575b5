"""TODO."""

from sqlmodel import Session

from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor


def owned_job(session: Session, actor: Actor, job_id: int) -> TrainingJob:
    """The record, when it is the actor's.

    Raises:
        NotFound: there is none, or it is somebody else's: both read the same.
    """
    job = session.get(TrainingJob, job_id)
    if job is None or job.owner_id != actor.user_id:
        raise NotFound("There is no such training job.")
    return job


def owned_dataset(session: Session, actor: Actor, dataset_id: int) -> Dataset:
    """The stored dataset, for services.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.owner_id != actor.user_id:
        raise NotFound("There is no such dataset. It may have been deleted.")
    return dataset


def owned_clip(session: Session, actor: Actor, clip_id: int) -> Clip:
    """The stored clip, for services and its media.

    Raises:
        NotFound: there is none, or it is in somebody else's dataset.
    """
    clip = session.get(Clip, clip_id)
    if clip is None:
        raise NotFound("There is no such clip. It may have been deleted.")
    owned_dataset(session, actor, clip.dataset_id)
    return clip


def visible_model(session: Session, actor: Actor, model_id: int) -> VideoModel:
    """A model that the actor may use: built in, or their own.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _visible(session, actor, model_id)


def _visible(session: Session, actor: Actor, model_id: int) -> VideoModel:
    model = session.get(VideoModel, model_id)
    if model is None or model.owner_id not in (None, actor.user_id):
        raise NotFound("There is no such model. It may have been deleted.")
    return model
