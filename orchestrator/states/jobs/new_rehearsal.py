"""The rehearsal of the wizard's last step: a worker runs two real steps and measures memory and time."""

import asyncio
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, Invalid
from orchestrator.services.training.rehearsals import get_rehearsal, request_rehearsal
from orchestrator.states.jobs import new_values as form
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_fields import problems_by_control
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in

POLL_S = 0.5
REVIEW_STEP = 4
_NOTES = {
    "waiting": "Waiting for a worker",
    "running": "Two steps are running",
}


class JobRehearsalState(rx.State):
    """The rehearsal of this tab; its measurements are shown in the plan."""

    running: bool = False
    note: str = ""
    error: str = ""

    @rx.event(background=True)
    @signed_in
    async def start(self):
        """Rehearses the form's recipe; does nothing while a rehearsal runs."""
        async with self:
            if self.running:
                return
            wizard = await self.get_state(JobFormState)
            ids = (wizard.dataset_id, wizard.model_id)
            version, values = wizard.dataset_version, dict(wizard.values)
            targets, has_layers = list(wizard.targets), bool(wizard.layers)
            self.running, self.note, self.error = True, _NOTES["waiting"], ""
        refused: AppError | None = None
        try:
            recipe = form.read_recipe(values, targets, has_layers)
            row = await run_as_user(self, request_rehearsal, *ids, recipe, version)
            while row.status in _NOTES:
                async with self:
                    self.note = _NOTES[row.status]
                await asyncio.sleep(POLL_S)
                row = await run_as_user(self, get_rehearsal, row.id)
            if row.error:
                refused = Invalid(row.error, row.error_field)
        except AppError as error:
            refused = error
        finally:
            async with self:
                self.running, self.note, self.error = False, "", refused.message if refused else ""
        async with self:
            event = await self._focus_refused_field(refused) if refused else None
        if event is not None:
            yield event
        yield JobFormState.refresh

    async def _focus_refused_field(self, refused: AppError) -> Any:
        """Goes to the field that a refusal names, unless the user has left the review step meanwhile."""
        wizard = await self.get_state(JobFormState)
        if wizard.step != REVIEW_STEP or not problems_by_control(problems_of(refused), wizard.values):
            return None
        self.error = ""  # it is shown at the field
        return wizard._show_refusal(refused)
