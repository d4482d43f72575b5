"""Files as strangers have them, 80 small datasets from public reports: read right, refused with a sentence, or wrong.

Skipped where the cases are not beside this checkout.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import select

from benchmarks.ledger import ledger
from benchmarks.stranger_cases import ABSENT, CASES, FOLDER, Case, Film, Outcome
from benchmarks.target import Target, Unavailable
from jobs.video.probe_pool import ProbePool
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.not_used import NOT_USED, from_json, not_used_notes
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path

TARGETS: dict[str, Target] = {"not_right": {"max": 0.0}, "lies": {"max": 0.0}, "crashes": {"max": 0.0}}
_TOLERANCE = 0.03


@dataclass(slots=True)
class Found:
    """What an import has made of a case."""

    status: str
    said: str
    """The error, the notes and what is not used."""
    clips: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    questions: set[str] = field(default_factory=set)
    splits: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[str, float, float, str]] = field(default_factory=list)
    films: dict[str, tuple[int, float, int, int]] = field(default_factory=dict)
    """(frames, seconds, width, height) by name."""


def run() -> dict[str, float]:
    """How many cases are right, refused with a sentence where they could be read, wrong without a word, or crash."""
    if not FOLDER.is_dir():
        raise Unavailable(ABSENT)
    counts: Counter[str] = Counter()
    with ledger() as actor, ProbePool() as pool:
        for name, case in CASES.items():
            verdict, why = judge(case, bring(actor, name, case, pool))
            counts[verdict] += 1
            if verdict != "right":
                print(f"{verdict:<8} {name}: {why}", flush=True)
    figures = {verdict: float(counts[verdict]) for verdict in ("right", "refused", "lies", "crashes")}
    return figures | {"not_right": float(len(CASES) - counts["right"])}


def files_of(name: str) -> dict[str, bytes]:
    """The files of a case, by the names under which they are uploaded."""
    root = FOLDER / name
    paths = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    base = root if root.is_dir() else root.parent
    return {path.relative_to(base).as_posix(): path.read_bytes() for path in paths}


def bring(actor: Actor, name: str, case: Case, pool: ProbePool) -> Found | Exception:
    """Imports a case; the exception that would have a worker try again, where there is one."""
    dataset_id = _uploaded(actor, name, case)
    try:
        ingest_dataset(dataset_id, pool)
    except Exception as error:
        return error
    return found(dataset_id)


def _uploaded(actor: Actor, name: str, case: Case) -> int:
    key = re.sub(r"\W", "-", name)
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name=name, task=case.task, status=DatasetStatus.PROCESSING)
        session.add(dataset)
        session.flush()
        for number, (file, data) in enumerate(files_of(name).items()):
            ids: dict[str, Any] = {"id": f"{key}-{number}", "owner_id": actor.user_id, "dataset_id": dataset.id}
            session.add(Upload(**ids, filename=file, length=len(data), status=UploadStatus.COMPLETE))
            path = upload_path(ids["id"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return dataset.id or 0


def found(dataset_id: int) -> Found:
    """What the database has of an imported case."""
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        notes = [*dataset.layout.get("notes", []), *not_used_notes(from_json(dataset.layout.get(NOT_USED, [])))]
        result = Found(str(dataset.status), "\n".join([dataset.error, *notes]))
        usable = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
        for clip in session.exec(usable):
            _add(result, clip)
        left_out = select(Clip.problem).where(Clip.dataset_id == dataset_id, Clip.status != ClipStatus.OK)
        result.said += "\n" + "\n".join(session.exec(left_out))
    return result


def _add(result: Found, clip: Clip) -> None:
    annotated = clip.annotated
    result.clips += 1
    result.splits[str(clip.split)] += 1
    if annotated.labels:
        result.labels[",".join(sorted(annotated.labels))] += 1  # a set: files write it in any order
    result.texts.update(annotated.texts)
    for talk in annotated.conversations:
        result.questions.update(turn.asked for turn in talk.turns)
        result.said += f"\n{talk.system}" if talk.system else ""
    if clip.span is not None:
        text = ",".join((*annotated.labels, *annotated.texts))
        result.spans.append((Path(clip.name).stem, clip.span.start_s, clip.span.end_s, text))
    result.films[Path(clip.name).name] = (clip.frames, clip.duration_s, clip.width, clip.height)


def judge(case: Case, result: Found | Exception) -> tuple[str, str]:
    """("right", "refused", "lies" or "crashes", what differs from the wanted outcome)."""
    if isinstance(result, Exception):
        return "crashes", f"{type(result).__name__}: {result}"
    differences = [difference(outcome, result) for outcome in case.right]
    if not all(differences):
        return "right", ""
    refused = result.status == "error" and bool(result.said.strip())
    return "refused" if refused else "lies", f"{differences[0]}; said: {' '.join(result.said.split())[:200]}"


def difference(outcome: Outcome, result: Found) -> str:
    """The first thing that is not as it must be; "" where all is."""
    for name in ("status", "clips", "labels", "texts", "questions", "splits"):
        wanted, is_there = getattr(outcome, name), getattr(result, name)
        if wanted is not None and _plain(wanted) != _plain(is_there):
            return f"{name} {_plain(is_there)} instead of {_plain(wanted)}"
    if outcome.text_count is not None and result.texts.total() != outcome.text_count:
        return f"{result.texts.total()} texts instead of {outcome.text_count}"
    if outcome.spans is not None and sorted(outcome.spans) != sorted(result.spans):
        return f"spans {sorted(result.spans)} instead of {sorted(outcome.spans)}"
    for name, film in outcome.films.items():
        if name not in result.films or not _fits(film, *result.films[name]):
            return f"{name} is {result.films.get(name)} instead of {film}"
    missing = [word for word in outcome.words if word not in result.said]
    return f"no word of {missing}" if missing else ""


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else set(value) if isinstance(value, set | frozenset) else value


def _fits(film: Film, frames: int, seconds: float, width: int, height: int) -> bool:
    return (
        abs(frames - film.frames) <= film.give
        and film.shortest * (1 - _TOLERANCE) <= seconds <= film.longest * (1 + _TOLERANCE)
        and (width, height) == (film.width, film.height)
    )
