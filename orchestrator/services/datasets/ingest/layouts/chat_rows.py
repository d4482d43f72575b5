"""Adds the rows of chat data: films, and what is said about them."""

from collections.abc import Sequence
from typing import Any

from orchestrator.domain.annotations import Conversation
from orchestrator.services.datasets.export_marks import KIND, ExportedKind
from orchestrator.services.datasets.files import ending_of
from orchestrator.services.datasets.ingest.layouts.frame_folders import PICTURE_ENDINGS
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.splits import split_in


def add_chat(
    collected: EntryCollector, file: str, row: Row, films: Sequence[Any], conversations: list[Conversation]
) -> None:
    """Adds a row that is about one film; a row about several is left out with a note."""
    if len(films) > 1 and all(isinstance(film, str) and ending_of(film) in PICTURE_ENDINGS for film in films):
        films = [list(films)]
    if len(films) > 1:
        collected.leave_out_sample(films, file)
        return
    film, span = films[0], None
    if isinstance(film, list):  # the pictures of the film, one by one
        part = collected.part_of_frames(film)
        if part is None:
            collected.leave_out_pictures(film, file)
            return
        film, span = part
    captions, talks = _as_exported(row, conversations)
    collected.add(
        film,
        file,
        labels=row.get("label"),
        captions=captions,
        conversations=talks,
        span=span,
        split=split_in(file),
    )


def _as_exported(row: Row, conversations: list[Conversation]) -> tuple[list[str], list[Conversation]]:
    """(captions, conversations) of a row: our own export writes captions and labels as conversations, and says so."""
    match row.get(KIND):
        case ExportedKind.CAPTION:
            return [turn.answer for talk in conversations for turn in talk.turns], []
        case ExportedKind.LABEL:
            return [], []
        case _:
            return [], conversations
