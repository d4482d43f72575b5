"""Datasets by REST: list, create, change, delete, import uploads; changes of many clips, and a report."""

from typing import Annotated, Any

from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from orchestrator.api.answers.datasets import MOST_LISTED, DatasetAnswer, DatasetReport, EditAnswer
from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.routes.clips import ClipChange
from orchestrator.api.rules import NO_FLAG, Cursor, Description, Flag, Limit, Name, one_of, rule, some_of, sorted_by
from orchestrator.api.schema.markers import Media
from orchestrator.api.serialization import BodyId, BodyIdOr0, Id, attachment
from orchestrator.domain.annotations import (
    CAPTION_QUESTION,
    LABEL_LIMIT,
    QUESTION_LIMIT,
)
from orchestrator.domain.dataset_documents import SourceBody
from orchestrator.domain.datasets import ClipStatus, DatasetStatus, Split
from orchestrator.domain.json_schemas import Described
from orchestrator.domain.tasks import DEFAULT_TASK, Task
from orchestrator.services.datasets import catalog
from orchestrator.services.datasets.curation import doctor, edits, versions
from orchestrator.services.datasets.curation.annotation_edits import add_label, remove_label
from orchestrator.services.datasets.curation.conversions import Conversion, convert_annotations
from orchestrator.services.datasets.curation.versions import EditRow
from orchestrator.services.datasets.export import plan_export, stream
from orchestrator.services.datasets.export_formats import FORMATS
from orchestrator.services.datasets.ingest import sources, uploads
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.services.datasets.ingest.layouts.reading import FASTEST_RATE, LEVELS, ROLES
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.ingest.review import accept_layout
from orchestrator.services.datasets.rows import ClipRow
from orchestrator.services.datasets.statistics import clip_statistics
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page

router = documented_router(tags=["datasets"])


class NewDataset(BaseModel):
    name: Name
    description: Description = ""
    task: Annotated[str, one_of(Task)] = DEFAULT_TASK.value
    source: Annotated[dict[str, Any], Described(SourceBody)] = Field(default_factory=lambda: {"type": "upload"})


class DatasetChange(BaseModel):
    name: Name | None = None
    description: Description | None = None


class IngestWish(BaseModel):
    """`review`: only detects the layout of the files; POST /accept imports them."""

    review: Flag = False


class Wish(BaseModel):
    source: Annotated[dict[str, Any], Described(SourceBody)] | None = None
    credential_id: BodyIdOr0 = 0


class ReadingWish(BaseModel):
    layout: Annotated[str, one_of(LAYOUTS, "")] = ""
    """Empty: the one that is detected."""
    columns: Annotated[dict[str, str], rule(propertyNames={"enum": list(ROLES)})] = Field(default_factory=dict)
    level: Annotated[int, NO_FLAG, rule(minimum=1, maximum=LEVELS)] = 1
    ignore_splits: Flag = False
    by_hand: Flag = False
    frame_rate: Annotated[float, NO_FLAG, rule(minimum=0, maximum=FASTEST_RATE)] = 0.0
    """Frames a second of folders of pictures; 0: as the files say, else 25. Changed alone after the import, it changes
    nothing else: durations and the times of spans follow it, as a version that can be undone."""


class SplitWish(BaseModel):
    share: Annotated[float, NO_FLAG, rule(minimum=0.05, maximum=0.5)] = 0.2
    seed: Annotated[int, NO_FLAG] = 42


class LabelChange(BaseModel):
    label: Annotated[str, rule(minLength=1, maxLength=LABEL_LIMIT)]
    clip_ids: Annotated[list[BodyId], rule(minItems=1)]
    remove: Flag = False


class ConversionRequest(BaseModel):
    """`clip_ids`: null for all clips; `question`: what captions answer, for captions_to_questions."""

    conversion: Annotated[str, one_of(Conversion)]
    clip_ids: Annotated[list[BodyId], rule(minItems=1)] | None = None
    question: Annotated[str, rule(minLength=1, maxLength=QUESTION_LIMIT)] = CAPTION_QUESTION


class ClipsChange(ClipChange):
    clip_ids: Annotated[list[BodyId], rule(minItems=1)]


@router.get("/datasets")
def list_datasets(
    actor: CurrentUser,
    q: str = "",
    status: Annotated[str, some_of(DatasetStatus)] = "",
    task: Annotated[str, some_of(Task)] = "",
    sort: Annotated[str, sorted_by(catalog.SORTS)] = "-created_at",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Page[DatasetAnswer]:
    statuses = [word.strip() for word in status.split(",")]
    status = f"{status},draft" if "processing" in statuses else status
    with session_scope() as session:
        rows = catalog.list_datasets(session, actor, q, status, task, sort, limit, cursor)
    return Page([DatasetAnswer.of(row) for row in rows.items], rows.next, rows.total)


@router.post("/datasets", status_code=201)
def create_dataset(actor: CurrentUser, body: NewDataset) -> DatasetAnswer:
    with session_scope() as session:
        return DatasetAnswer.of(
            sources.add_dataset(session, actor, body.name, body.description, body.task, body.source)
        )


@router.get("/datasets/{dataset_id}")
def get_dataset(actor: CurrentUser, dataset_id: Id) -> DatasetAnswer:
    with session_scope() as session:
        return DatasetAnswer.of(catalog.get_dataset(session, actor, dataset_id))


@router.patch("/datasets/{dataset_id}")
def update_dataset(actor: CurrentUser, dataset_id: Id, body: DatasetChange) -> DatasetAnswer:
    with session_scope() as session:
        return DatasetAnswer.of(catalog.update_dataset(session, actor, dataset_id, body.name, body.description))


@router.delete("/datasets/{dataset_id}", status_code=204)
def delete_dataset(actor: CurrentUser, dataset_id: Id) -> None:
    with session_scope() as session:
        catalog.delete_dataset(session, actor, dataset_id)


@router.post("/datasets/{dataset_id}/ingest", status_code=202)
def ingest(actor: CurrentUser, dataset_id: Id, body: IngestWish | None = None) -> DatasetAnswer:
    """Imports the uploads; with `review` it only reports how they would be read (`layout.preview`)."""
    with session_scope() as session:
        return DatasetAnswer.of(uploads.request_ingest(session, actor, dataset_id, bool(body and body.review)))


@router.post("/datasets/{dataset_id}/accept", status_code=202)
def accept(actor: CurrentUser, dataset_id: Id) -> DatasetAnswer:
    """Accepts the detected layout of a dataset whose `stage` is `review`: its files are imported."""
    with session_scope() as session:
        return DatasetAnswer.of(accept_layout(session, actor, dataset_id))


@router.post("/datasets/{dataset_id}/fetch", status_code=202)
def fetch(actor: CurrentUser, dataset_id: Id, body: Wish | None = None) -> DatasetAnswer:
    """Downloads more clips from `source`; without one, repeats a download that failed, with the Hub token
    `credential_id`."""
    with session_scope() as session:
        request = body or Wish()
        return DatasetAnswer.of(
            sources.request_fetch(session, actor, dataset_id, request.source, request.credential_id)
        )


@router.post("/datasets/{dataset_id}/read", status_code=202)
def read_again(actor: CurrentUser, dataset_id: Id, body: ReadingWish) -> DatasetAnswer:
    """Reads the files again with another layout, without a new upload; the dataset's `layout` holds what was detected,
    and the columns and folders to choose from."""
    with session_scope() as session:
        return DatasetAnswer.of(request_reinterpretation(session, actor, dataset_id, body.model_dump()))


@router.post("/datasets/{dataset_id}/cancel", status_code=202)
def cancel(actor: CurrentUser, dataset_id: Id) -> DatasetAnswer:
    """Cancels a download or an import; nothing of it is kept."""
    with session_scope() as session:
        return DatasetAnswer.of(sources.cancel_import(session, actor, dataset_id))


@router.get("/datasets/{dataset_id}/clips")
def list_clips(
    actor: CurrentUser,
    dataset_id: Id,
    label: str = "",
    status: Annotated[str, some_of(ClipStatus)] = "",
    split: Annotated[str, some_of(Split)] = "",
    q: str = "",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Page[ClipRow]:
    with session_scope() as session:
        return catalog.list_clips(session, actor, dataset_id, label, status, limit, cursor, split, q)


@router.patch("/datasets/{dataset_id}/clips")
def update_clips(actor: CurrentUser, dataset_id: Id, body: ClipsChange) -> EditAnswer:
    """Makes the same change to many clips; `edit` can be undone."""
    with session_scope() as session:
        return EditAnswer(edits.edit_clips(session, actor, dataset_id, body.clip_ids, body.to_domain()))


@router.post("/datasets/{dataset_id}/labels")
def change_labels(actor: CurrentUser, dataset_id: Id, body: LabelChange) -> EditAnswer:
    """Adds a label to many clips, or removes it from those that have it; `edit` can be undone."""
    change = remove_label if body.remove else add_label
    with session_scope() as session:
        return EditAnswer(change(session, actor, dataset_id, body.clip_ids, body.label))


@router.post("/datasets/{dataset_id}/conversions")
def convert(actor: CurrentUser, dataset_id: Id, body: ConversionRequest) -> EditAnswer:
    """Converts the annotations of clips into another kind, such as answers into captions; `edit` can be undone."""
    with session_scope() as session:
        return EditAnswer(
            convert_annotations(session, actor, dataset_id, body.conversion, body.clip_ids, body.question)
        )


@router.post("/datasets/{dataset_id}/splits")
def split(actor: CurrentUser, dataset_id: Id, body: SplitWish | None = None) -> EditAnswer:
    """Assigns `share` of each class to validation, the same clips for the same `seed`; `edit` can be undone."""
    request = body or SplitWish()
    with session_scope() as session:
        return EditAnswer(edits.assign_splits(session, actor, dataset_id, request.share, request.seed))


@router.get("/datasets/{dataset_id}/edits")
def list_edits(actor: CurrentUser, dataset_id: Id, limit: Limit = 50, cursor: Cursor | None = None) -> Page[EditRow]:
    """The edits of the dataset, each of which made a version; newest first."""
    with session_scope() as session:
        return versions.list_edits(session, actor, dataset_id, limit, cursor)


@router.post("/datasets/{dataset_id}/edits/{edit_id}/undo")
def undo(actor: CurrentUser, dataset_id: Id, edit_id: Id) -> EditAnswer:
    with session_scope() as session:
        return EditAnswer(edits.undo_edit(session, actor, dataset_id, edit_id))


@router.post("/datasets/{dataset_id}/findings/{kind}/{action}")
def treat(actor: CurrentUser, dataset_id: Id, kind: str, action: str) -> EditAnswer:
    """Runs an action that a finding of the report offers: quarantine, train, delete, split, transcode, even, single or
    mend."""
    with session_scope() as session:
        return EditAnswer(doctor.apply_action(session, actor, dataset_id, kind, action))


@router.get("/datasets/{dataset_id}/report")
@expensive
def report(actor: CurrentUser, dataset_id: Id) -> DatasetReport:
    """Statistics and findings of the dataset, and the clips that were left out with their reasons."""
    with session_scope() as session:
        row = catalog.get_dataset(session, actor, dataset_id)
        statistics = clip_statistics(session, actor, dataset_id)
        health = doctor.examine(session, actor, dataset_id)
        bad = catalog.list_clips(session, actor, dataset_id, status="bad", limit=MOST_LISTED)
    return DatasetReport.of(row, statistics, health, bad.items)


@router.get("/datasets/{dataset_id}/export")
@expensive
def export(
    actor: CurrentUser, dataset_id: Id, format: Annotated[str, one_of(tuple(FORMATS))] = "videofolder"
) -> Annotated[StreamingResponse, Media(("application/zip",))]:
    """A zip of the clips with their annotations; its README says what the format cannot hold."""
    with session_scope() as session:
        plan = plan_export(session, actor, dataset_id, format)
    return StreamingResponse(stream(plan), media_type="application/zip", headers=attachment(plan.filename))
