"""The wizard that creates a training job: four steps, a stored draft, one launch."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipe_fields import Group, ValueKind
from orchestrator.services.training import drafts
from orchestrator.services.training.defaults import recipe_defaults
from orchestrator.services.training.idempotency import KeyReused
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.sweeps import launch_sweep
from orchestrator.states.jobs import new_sweep as sweep
from orchestrator.states.jobs import new_values as form
from orchestrator.states.jobs.new_fields import JobFormFields
from orchestrator.states.jobs.new_load import DATASET_UNAVAILABLE, MODEL_UNAVAILABLE, NO_ADAPTER, estimate, open_wizard
from orchestrator.states.jobs.new_recipe import fill
from orchestrator.states.jobs.new_rows import (
    Plan,
    fit_models,
    plan_of_jobs,
    review_blocks,
    review_rows,
    sweep_fields,
    sweep_rows,
)
from orchestrator.states.shared.address_filters import push_filters, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in

PATH = "/jobs/new"
DEBOUNCE_S = 0.12
"""Seconds without a change before the draft is saved and the plan is estimated again."""


class JobFormState(JobFormFields, rx.State):
    """The wizard of this tab; its draft is stored in the database."""

    @rx.event
    @signed_in
    async def load(self):
        """on_load: opens what the address names: a draft, a job to clone, a dataset and a model, or nothing."""
        query = dict(self.router.url.query_parameters)
        opening = await run_as_user(self, open_wizard, query)
        self._show_opening(opening)
        if self.model_id:
            await self._read_layers(keep=bool(self.targets))
        if opening.jump:
            self._advance_to(4 if not self._current_problems() else 3)
        if opening.draft.id and (step := parse_id(query.get("step", ""))):
            self.step = min(step, self.reached)
        self.loaded, self._kept = True, self._draft()
        # The id of a deleted draft is removed from the address; a new one enters it with its first change.
        stay = parse_id(query.get("draft", "")) in (0, self.draft_id)
        return JobFormState.refresh if stay else [JobFormState.refresh, write_filters(PATH)]

    @rx.event
    @signed_in
    async def choose_dataset(self, dataset_id: int):
        """Step 1: chooses the dataset, which decides which models fit."""
        chosen = next((d for d in self.datasets if d.id == int(dataset_id) and not d.reason), None)
        if chosen is None:
            return None
        name = self._auto_name()
        if self.dataset_id != chosen.id:
            self.dataset_id, self.dataset_version = chosen.id, 0
        self._drop_problem("dataset_id")
        self.notice = "" if self.notice == DATASET_UNAVAILABLE else self.notice
        self.models = fit_models(self.models, chosen.task)
        if any(m.id == self.model_id and m.reason for m in self.models):
            self.model_id, self.layers, self.targets = 0, [], []
        self._rename(name)
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def choose_version(self, version: str):
        """Chooses the version of the dataset to learn from; "0" is the newest."""
        dataset, chosen = self.dataset, parse_id(str(version))
        if dataset is None or chosen > dataset.version:
            return None
        self.dataset_version = chosen if chosen != dataset.version else 0
        self._drop_problem("dataset_version")
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def choose_model(self, model_id: int):
        """Step 2: chooses the base model, which decides the defaults."""
        chosen = next((m for m in self.models if m.id == int(model_id) and not m.reason), None)
        if chosen is None or chosen.id == self.model_id:
            return None
        name = self._auto_name()
        found = await run_as_user(self, recipe_defaults, self.dataset_id, chosen.id)
        self.model_id = chosen.id
        sweep_values = {field: self.values.get(field, "") for field in sweep.SWEEP_FIELDS}
        self.values = (
            form.values_from_defaults(found)
            | sweep_values
            | {
                "training_type": self.values.get("training_type", "finetune"),
                "output_name": self.values.get("output_name", ""),
            }
        )
        self.problems = {}
        self.notice = "" if self.notice == MODEL_UNAVAILABLE else self.notice
        self._rename(name)
        await self._read_layers(keep=False)
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def set_value(self, field: str, text: str):
        """Stores what is typed; a message at the field disappears as soon as the value is valid."""
        if field not in form.FORM_FIELDS and field not in sweep.SWEEP_FIELDS:
            return None
        self._set(field, text)
        if field in self.problems:
            self._check(field)
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def choose_adapter(self, value: str):
        """Chooses the adapter to continue from, or none."""
        self._set("adapter", "" if value == NO_ADAPTER else str(value))
        self._drop_problem("adapter")
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def commit_value(self, field: str, text: str):
        """Runs when a field loses the focus: stores its value and validates it."""
        if field not in form.FORM_FIELDS and field not in sweep.SWEEP_FIELDS:
            return None
        changed = self.values.get(field, "") != text
        self._set(field, text)
        self._check(field)
        return JobFormState.refresh if changed else None

    @rx.event
    @signed_in
    async def set_flag(self, field: str, on: bool):
        """Turns a switch of the form on or off."""
        known = form.FORM_FIELDS.get(field)
        if known is None or known.kind is not ValueKind.SWITCH:
            return None
        self._set(field, "true" if on else "")
        self._drop_problem(field)
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def toggle_target(self, suffix: str, on: bool):
        """Adds or removes one kind of layer."""
        known = [layer.suffix for layer in self.layers]
        chosen = (set(self.targets) | {suffix}) if on else (set(self.targets) - {suffix})
        self.targets = [name for name in known if name in chosen]
        self._check("qlora.target_modules")
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def choose_preset(self, key: str):
        """Sets every parameter as a preset has it; training type, name and sweep stay."""
        if key not in dict(form.PRESETS):
            return None
        return self._reset_values(key)

    @rx.event
    @signed_in
    async def reset_to_defaults(self):
        """Sets every parameter to its default for the chosen base, and chooses the usual layers."""
        self.targets = [layer.suffix for layer in self.layers if layer.default] or self.targets
        return self._reset_values("balanced")

    def _reset_values(self, preset: str) -> Any:
        name = self._auto_name()
        start = form.reset_values(self.values, preset, self._parameters(), self._task(), self._family())
        self.values = {**self.values, **start}
        self.problems = {}
        self._rename(name)
        return JobFormState.refresh

    @rx.event
    @signed_in
    async def put_in_recipe(self, text: str, name: str):
        """Fills the form from a recipe file; what it does not name stays."""
        return self._fill_from(str(text), str(name))

    @rx.event
    @signed_in
    async def paste_recipe(self, form_data: dict[str, Any]):
        """Fills the form from a recipe that was pasted."""
        return self._fill_from(str(form_data.get("recipe", "")), "the pasted text")

    @rx.event
    @signed_in
    async def show_paste(self, shown: bool):
        """Opens or closes the dialog to paste a recipe."""
        self.pasting, self.recipe_error = shown, ""

    @rx.event
    @signed_in
    async def use_adapters(self):
        """Trains adapters again where a clone or a recipe file switched them off."""
        self.values = {name: text for name, text in self.values.items() if name != "qlora.enabled"}
        return JobFormState.refresh

    def _fill_from(self, text: str, source: str) -> Any:
        try:
            filled = fill(self.values, self.targets, [layer.suffix for layer in self.layers], text)
        except AppError as error:
            self.recipe_error, self.recipe_summary, self.recipe_notes = error.message, "", []
            return None
        self.values, self.targets, self.problems = filled.values, filled.targets, filled.problems
        self.recipe_summary = f"{source[:80]}: {filled.summary}"
        self.recipe_notes, self.recipe_error, self.pasting = filled.notes, "", False
        focus_bad = [self._focus(next(iter(filled.problems)))] if filled.problems else []
        return [JobFormState.refresh, *focus_bad]

    @rx.event
    @signed_in
    async def toggle_group(self, group: str):
        """Opens or closes a group of advanced fields."""
        others = [name for name in self.open_groups if name != group]
        self.open_groups = others if group in self.open_groups else [*others, *(g for g in Group if g == group)]

    @rx.event
    @signed_in
    async def next(self):
        """Goes to the next step when this one is complete; else focuses the first invalid field."""
        bad = self._problems_of_step(self.step)
        self.problems = bad
        if bad:
            return self._focus(next(iter(bad)))
        self._advance_to(min(4, self.step + 1))
        return self._step_events()

    @rx.event
    @signed_in
    async def go(self, step: int):
        """Goes to a step that was reached before: from the stepper or an Edit link."""
        number = int(step)
        if 1 <= number <= self.reached:
            self.step = number
            return self._step_events()
        return None

    @rx.event
    @signed_in
    async def show_field(self, field: str):
        """Goes from a warning of the summary to the field that it is about."""
        warning = next((warning for warning in self.plan.warnings if field and warning.field == field), None)
        return self._show_refusal(Invalid(warning.text, field)) if warning else None

    @rx.event
    @signed_in
    async def back(self):
        """Goes one step back; what was typed stays."""
        self.step = max(1, self.step - 1)
        return self._step_events()

    def _step_events(self) -> list[Any]:
        """After a change of the step; the browser's Back returns to the step before, as soon as a draft is stored."""
        events: list[Any] = [JobFormState.refresh, rx.scroll_to("wizard-top")]
        if self.draft_id:
            events.append(push_filters(PATH, draft=str(self.draft_id), step=str(self.step)))
        return events

    @rx.event
    @signed_in
    async def cancel(self):
        """Deletes the draft and leaves the wizard."""
        await run_as_user(self, drafts.clear_draft, self._key)
        self.reset()
        return rx.redirect("/jobs")

    @rx.event
    @signed_in
    async def launch(self):
        """Launches what the review shows; with the draft's key a second click finds the same job."""
        if self._launched:
            yield rx.redirect(self._address)
            return
        bad = self._problems_of_step(1) | self._problems_of_step(2) | self._problems_of_step(3)
        if bad:
            self.problems = bad
            yield self._focus(next(iter(bad)))
            return
        self.launching = True
        yield
        recipe = form.read_recipe(self.values, self.targets, bool(self.layers))
        things = (self.dataset_id, self.model_id)
        try:
            if grid := sweep.read_grid(self.values):
                base = form.raw_recipe(self.values, self.targets)
                launched = await run_as_user(self, launch_sweep, *things, base, grid, self._key, self.dataset_version)
                self._address = f"/jobs/compare?sweep={launched.id}"
            else:
                job = await run_as_user(self, launch_job, *things, recipe, self._key, self.dataset_version)
                self._address = f"/jobs/{job.id}"
            await run_as_user(self, drafts.clear_draft, self._key)
        except KeyReused:
            self.launching = False
            self._begin_own_draft(
                "Another tab launched this draft with other values. What you see is a draft of its own now: "
                "launch it, too, or discard it."
            )
            yield JobFormState.refresh
            return
        except AppError as error:
            self.launching = False
            yield self._show_refusal(error)
            return
        except BaseException:
            self.launching = False
            raise
        self._launched = True
        yield rx.redirect(self._address)

    @rx.event(background=True)
    @signed_in
    async def refresh(self):
        """Saves the draft and estimates the plan again, after a pause in typing."""
        async with self:
            self._edit_count += 1
            edit = self._edit_count
        await asyncio.sleep(DEBOUNCE_S)
        async with self:
            if edit != self._edit_count or self._launched or not self.loaded:
                return
            draft, change, changed = self._draft(), self._edit(), self._draft() != self._kept
            values, targets = dict(self.values), list(self.targets)
            dataset_id, model_id, version = self.dataset_id, self.model_id, self.dataset_version
            parameters, task, family = self._parameters(), self._task(), self._family()
            has_layers = bool(self.layers)
        if changed:
            yield await self._save(draft, change)
        plan, presets, recipe = None, None, None
        if dataset_id and model_id:
            plan, presets, recipe = await run_as_user(
                self, estimate, dataset_id, model_id, values, targets, parameters, task, family, has_layers, version
            )
        async with self:
            if edit != self._edit_count:
                return
            self.plan = plan_of_jobs(plan or Plan(), sweep.count_jobs(self.values))
            self.presets = presets or []
            if recipe is not None:
                varied = sweep_fields(self.values)
                rows = review_rows(self._dataset_label(), self.model_name, recipe, self.plan.clips, varied)
                self.review = review_blocks([*rows, *sweep_rows(self.values)])

    async def _save(self, values: dict[str, Any], change: drafts.Edit) -> Any:
        """Stores the draft and names it in the address; one that another tab changed becomes two, so that neither is
        lost."""
        try:
            saved = await run_as_user(self, drafts.save_draft, values, change)
        except drafts.DraftChanged as error:
            async with self:
                if self.launching or self._launched or change.key != self._key:
                    return None
                self._begin_own_draft(f"{error.message} What you see is a draft of its own now; nothing is lost.")
            return JobFormState.refresh
        async with self:
            if self._launched or change.key != self._key:
                return None
            is_new = self.draft_id != saved.id
            self.draft_id, self._kept, step = saved.id, values, self.step
            self.saved_at = formatting.iso(saved.updated_at or datetime.now(UTC))
        return write_filters(PATH, draft=str(saved.id), step=str(step)) if is_new else None
