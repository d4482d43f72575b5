"""Who may see and change what: one function a kind of record, used by every service before it reads or writes one.

Each returns the stored record. A record of another user reads the same as one that does not exist: `NotFound`.
"""

from sqlmodel import Session

from orchestrator.domain.adapters import Adapter
from orchestrator.domain.credentials import Credential
from orchestrator.domain.datasets import Clip, Dataset, Upload
from orchestrator.domain.errors import NotAllowed, NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.queueing import Sweep
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor


def owned_job(session: Session, actor: Actor, job_id: int) -> TrainingJob:
    """The actor's training job.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    job = session.get(TrainingJob, job_id)
    if job is None or job.owner_id != actor.user_id:
        raise NotFound("There is no such training job.")
    return job


def owned_sweep(session: Session, actor: Actor, sweep_id: int) -> Sweep:
    """The actor's sweep.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    sweep = session.get(Sweep, sweep_id)
    if sweep is None or sweep.owner_id != actor.user_id:
        raise NotFound("There is no such sweep.")
    return sweep


def owned_dataset(session: Session, actor: Actor, dataset_id: int) -> Dataset:
    """The actor's dataset.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.owner_id != actor.user_id:
        raise NotFound("There is no such dataset. It may have been deleted.")
    return dataset


def owned_clip(session: Session, actor: Actor, clip_id: int) -> Clip:
    """A clip in one of the actor's datasets.

    Raises:
        NotFound: it does not exist, or lies in another user's dataset.
    """
    clip = session.get(Clip, clip_id)
    if clip is None:
        raise NotFound("There is no such clip. It may have been deleted.")
    owned_dataset(session, actor, clip.dataset_id)
    return clip


def owned_upload(session: Session, actor: Actor, upload_id: str) -> Upload:
    """An upload that the actor began.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    upload = session.get(Upload, upload_id)
    if upload is None or upload.owner_id != actor.user_id:
        raise NotFound("There is no such upload. It may have been cancelled.")
    return upload


def visible_model(session: Session, actor: Actor, model_id: int) -> VideoModel:
    """A base model that the actor may use: a built-in one, or one of their own.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    model = session.get(VideoModel, model_id)
    if model is None or model.owner_id not in (None, actor.user_id):
        raise NotFound("There is no such model. It may have been deleted.")
    return model


def owned_model(session: Session, actor: Actor, model_id: int) -> VideoModel:
    """A base model that the actor may change.

    Raises:
        NotAllowed: it is built in. NotFound: it does not exist, or belongs to another user.
    """
    model = visible_model(session, actor, model_id)
    if model.owner_id is None:
        raise NotAllowed("Built-in models belong to everyone here and cannot be changed or deleted.")
    return model


def owned_adapter(session: Session, actor: Actor, adapter_id: int) -> Adapter:
    """One of the actor's adapter versions.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    adapter = session.get(Adapter, adapter_id)
    if adapter is None or adapter.owner_id != actor.user_id:
        raise NotFound("There is no such adapter. It may have been deleted.")
    return adapter


def owned_credential(session: Session, owner_id: int, credential_id: int) -> Credential:
    """A stored credential of this user; takes the user's id, because workers read credentials without an actor.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    credential = session.get(Credential, credential_id)
    if credential is None or credential.owner_id != owner_id:
        raise NotFound("These credentials do not exist any more. Choose others.")
    return credential
