"""What the job page shows of single clips and files: misclassified clips by cell, and what the run left behind."""

from dataclasses import dataclass

import reflex as rx

from orchestrator.services.training.artifacts import list_artifacts
from orchestrator.services.training.rows import ArtifactRow
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.jobs.samples import Sample


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of the run."""

    name: str
    size: str
    href: str
    at: str
    """ISO time."""


def file_line(job_id: int, row: ArtifactRow) -> FileLine:
    """A file with its words ready."""
    return FileLine(
        row.name, formatting.size(row.size_bytes), f"/api/v1/jobs/{job_id}/artifacts/{row.name}", formatting.iso(row.modified_at)
    )


class JobFiles(rx.State, mixin=True):
    """Fields and handlers of the tabs that are about clips and files."""

    mistakes: list[Sample] = []
    pair: str = ""
    """The cell of the confusion matrix whose clips are shown; "": all of them."""
    files: list[FileLine] = []
    files_size: str = ""

    @rx.var
    def shown_mistakes(self) -> list[Sample]:
        """The misclassified clips of the chosen cell."""
        return [sample for sample in self.mistakes if self.pair in ("", sample.pair)]

    @rx.event
    @signed_in
    async def show_mistakes(self, pair: str):
        """Opens the clips of one cell of the confusion matrix, or all of them."""
        self.pair = pair[:400]
        self.tab = "samples"

    async def _read_files(self, job_id: int) -> None:
        rows = await act(self, list_artifacts, job_id)
        self.files = [file_line(job_id, row) for row in rows]
        self.files_size = formatting.size(sum(row.size_bytes for row in rows)) if rows else ""
