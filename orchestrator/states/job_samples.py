"""Turns a run's samples into rows: what was asked or said of some held-out clips, and which clips went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.states import words
from orchestrator.states.datasets_rows import clip_address


@dataclass(frozen=True, slots=True)
class Shot:
    """One clip of an answer."""

    picture: str
    note: str
    right: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A held-out clip: what the model made of it, and how good that is."""

    title: str
    note: str
    before: str
    good: bool
    shots: list[Shot] = field(default_factory=list)


def samples_of(summary: Mapping[str, Any]) -> list[Sample]:
    """Sentences and the clips found for them, or clips and the sentences said of them."""
    rows = summary.get("samples") or []
    return [_asked(row) if "rank" in row else _said(row) for row in rows if isinstance(row, Mapping)]


def mistakes_of(summary: Mapping[str, Any]) -> list[Sample]:
    """Clips that were called another class than theirs, the surest first."""
    return [
        Sample(
            title=f"{row.get('label', '')}, called {row.get('predicted', '')}",
            note=f"{words.percent(float(row.get('confidence') or 0.0))} sure, {row.get('name', '')}",
            before="",
            good=False,
            shots=[_shot(row.get("clip_id"), str(row.get("name", "")), False)],
        )
        for row in summary.get("mistakes") or []
    ]


def _shot(clip_id: Any, note: str, right: bool) -> Shot:
    return Shot(clip_address(int(clip_id or 0), "thumbnail"), note, right)


def _asked(row: Mapping[str, Any]) -> Sample:
    rank = int(row.get("rank") or 0)
    shots = [
        _shot(found.get("clip_id"), f"{float(found.get('score') or 0.0):.2f}", bool(found.get("right")))
        for found in row.get("top") or []
    ]
    note = "Found first" if rank == 1 else f"Found at place {rank}"
    return Sample(str(row.get("reference", "")), note, "", rank == 1, shots)


def _said(row: Mapping[str, Any]) -> Sample:
    said, meant = str(row.get("predicted", "")), str(row.get("reference", ""))
    return Sample(
        title=said,
        note="As it should be" if said == meant else f"It should be: {meant}",
        before=str(row.get("before", "")),
        good=said == meant,
        shots=[_shot(row.get("clip_id"), str(row.get("name", "")), said == meant)],
    )
