"""A confirmation names what depends on the record to be deleted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.domain import formatting
from orchestrator.domain.adapters import Adapter, AdapterLine, AdapterOperation, OperationKind, ResultKind
from orchestrator.domain.errors import Conflict
from orchestrator.domain.models import VideoModel
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.overview import dataset_extras
from orchestrator.services.db import session_scope
from orchestrator.services.models.catalog import delete_model
from orchestrator.states.datasets import dialogs as dataset_dialogs
from orchestrator.states.models import dialogs as model_dialogs
from tests.studio import make_things


def test_jobs_and_adapters_are_named(ada: Actor) -> None:
    dataset_id, model_id = make_things(ada)
    base: dict[str, Any] = {"owner_id": ada.user_id, "dataset_id": dataset_id, "model_id": model_id}
    names: dict[str, Any] = {"dataset_name": "Motions", "model_name": "Tiny VideoMAE"}
    with session_scope() as session:
        session.get_one(VideoModel, model_id).owner_id = ada.user_id
        for number, status in enumerate((JobStatus.COMPLETED, JobStatus.STOPPED, JobStatus.RUNNING)):
            session.add(TrainingJob(**base, **names, name="walks", status=status, idempotency_key=str(number)))
        line = AdapterLine(owner_id=ada.user_id, name="walks", last_version=1)
        session.add(line)
        session.flush()
        made: dict[str, Any] = {"line_id": line.id, "name": "walks", "version": 1, "source_job": 1}
        session.add(Adapter(**base, **names, **made, kind=ResultKind.ADAPTER, created_at=datetime.now(UTC)))
    with session_scope() as session:
        row, extras = get_dataset(session, ada, dataset_id), dataset_extras(session, ada, [dataset_id])[dataset_id]
        text = " ".join(dataset_dialogs.consequences(row, extras)).replace(formatting.NBSP, " ")
        assert "3 jobs trained on it (walks #3, walks #2 and walks #1)" in text
        assert dataset_dialogs.blocked_by(extras) == "walks #3 still trains on it. Stop that first."
        _, consequences, blocked = model_dialogs.deletion_of(session, ada, model_id)
        text = " ".join(consequences)
        assert blocked == "walks #3 still trains this model. Stop that first."
        with pytest.raises(Conflict, match="walks #3 still trains"):
            delete_model(session, ada, model_id)
        session.get_one(TrainingJob, 3).status = JobStatus.STOPPED
        session.add(AdapterOperation(adapter_id=1, kind=OperationKind.MERGE))
        session.flush()
        with pytest.raises(Conflict, match="walks v1 is being merged into this model"):
            delete_model(session, ada, model_id)
        assert "3 jobs trained it (walks #3, walks #2 and walks #1)" in text.replace(formatting.NBSP, " ")
        assert "1 adapter made from it (walks v1)" in text.replace(formatting.NBSP, " ")
