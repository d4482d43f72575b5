"""The record of all benchmark runs, `history.jsonl`: one measured figure a line."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

HISTORY = Path(__file__).with_name("history.jsonl")


class Measurement(BaseModel):
    """One figure of one run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$")
    """UTC. A day alone where the time of the run was not recorded."""
    bench: str
    figure: str
    value: float | None
    """As the bench prints it; None where a sentence in `note` takes its place."""
    unit: str
    """"fraction" is a share between 0 and 1, "x" a ratio, "" a count or a score."""
    quiet: bool | None
    """Whether nothing else ran on the machine; None where that was not recorded."""
    load: float | None = None
    """Load average at the start of the run."""
    conditions: str = ""
    machine: str
    commit: str
    variant: str = ""
    """How the run differed from what the bench measures today. Such a figure never enters the table."""
    note: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None and not self.note:
            raise ValueError("A measurement without a value needs a note.")
        return self

    @property
    def day(self) -> str:
        return self.date[:10]

    @property
    def counts(self) -> bool:
        """A number, measured as the bench measures today on a machine that did nothing else."""
        return self.quiet is True and self.is_standard

    @property
    def is_standard(self) -> bool:
        return self.value is not None and not self.variant


def load_history(path: Path | None = None) -> list[Measurement]:
    """All measurements, oldest first; those of one time in the order in which they were written."""
    lines = (path or HISTORY).read_text().splitlines()
    return sorted((Measurement.model_validate_json(line) for line in lines if line), key=lambda each: each.date)


def append_history(measurements: Iterable[Measurement], path: Path | None = None) -> None:
    """Adds lines in one write, so that two runs never write into each other's lines."""
    text = "".join(each.model_dump_json(exclude_defaults=True) + "\n" for each in measurements)
    file = os.open(path or HISTORY, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def group_by_figure(measurements: Iterable[Measurement]) -> dict[tuple[str, str], list[Measurement]]:
    """The measurements of each (bench, figure), in the given order."""
    groups: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for each in measurements:
        groups[each.bench, each.figure].append(each)
    return groups


def latest(measurements: Iterable[Measurement]) -> Measurement | None:
    """The newest quiet measurement of one figure; where there is none, the newest one under load."""
    standard = [each for each in measurements if each.is_standard]
    quiet = [each for each in standard if each.counts]
    return (quiet or standard or [None])[-1]
