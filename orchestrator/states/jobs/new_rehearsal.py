"""The rehearsal of the wizard's last step: asks a worker for two real steps and waits for what they took."""

import asyncio
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, Invalid
from orchestrator.services.training.rehearsals import get_rehearsal, request_rehearsal
from orchestrator.states.jobs import new_values as form
from orchestrator.states.jobs.new import JobForm
from orchestrator.states.jobs.new_fields import placed
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in

LOOK_S = 0.5
REVIEW = 4
"""The step that offers it."""
_NOTES = {
    "waiting": "Waiting for a worker",
    "running": "Two steps are running",
}


class JobRehearsal(rx.State):
    """This tab's rehearsal; what it finds comes back through the plan."""

    going: bool = False
    note: str = ""
    error: str = ""

    @rx.event(background=True)
    @signed_in
    async def start(self):
        """Rehearses what the form asks for; a second press while one goes on does nothing."""
        async with self:
            if self.going:
                return
            wizard = await self.get_state(JobForm)
            things = (wizard.dataset_id, wizard.model_id)
            values, targets, has_layers = dict(wizard.values), list(wizard.targets), bool(wizard.layers)
            self.going, self.note, self.error = True, _NOTES["waiting"], ""
        refused: AppError | None = None
        try:
            recipe = form.read_recipe(values, targets, has_layers)
            row = await run_as_user(self, request_rehearsal, *things, recipe)
            while row.status in _NOTES:
                async with self:
                    self.note = _NOTES[row.status]
                await asyncio.sleep(LOOK_S)
                row = await run_as_user(self, get_rehearsal, row.id)
            if row.error:
                refused = Invalid(row.error, row.error_field)
        except AppError as error:
            refused = error
        finally:
            async with self:
                self.going, self.note, self.error = False, "", refused.message if refused else ""
        async with self:
            way = await self._bring(refused) if refused else None
        if way is not None:
            yield way
        yield JobForm.refresh

    async def _bring(self, refused: AppError) -> Any:
        """To the field that a refusal names, from the review; whoever went on elsewhere meanwhile stays there."""
        wizard = await self.get_state(JobForm)
        if wizard.step != REVIEW or not placed(problems_of(refused), wizard.values):
            return None
        self.error = ""  # it stands beside the field
        return wizard._refused(refused)
