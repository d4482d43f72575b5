"""The wizard that makes a training job: four steps, a draft that survives, one launch."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.services.training import drafts
from orchestrator.services.training.launch import launch_job
from orchestrator.states import job_values as form
from orchestrator.states import words
from orchestrator.states.guards import act, problems_of, said, signed_in
from orchestrator.states.job_form_load import Opening, estimate, layers_of, open_wizard
from orchestrator.states.job_form_rows import (
    DatasetChoice,
    LayerChoice,
    ModelChoice,
    Plan,
    PresetCard,
    ReviewRow,
    fit_models,
    review_rows,
)

STEP_OF = {"dataset_id": 1, "model_id": 2}
REST = 0.12
"""Seconds of quiet before the draft is saved and the plan worked out anew."""


def control_id(field: str) -> str:
    """The id of a field's control on the page."""
    return "field-" + field.replace(".", "-").replace("_", "-")


def focus(field: str) -> rx.event.EventSpec:
    """Brings a field into view and the caret into it, once the page has drawn it."""
    target = json.dumps(control_id(field))
    return rx.call_script(
        f"setTimeout(() => {{ const e = document.getElementById({target}); if (e) {{"
        " e.scrollIntoView({block: 'center'});"
        " (e.matches('input,button,select,textarea,[tabindex]') ? e : e.querySelector('input,button') || e)"
        ".focus({preventScroll: true}); } }, 80)"
    )


class JobForm(rx.State):
    """What stands in the wizard of this tab; the draft in the ledger is its memory."""

    ready: bool = False
    step: int = 1
    reached: int = 1
    dataset_id: int = 0
    model_id: int = 0
    values: dict[str, str] = {}
    targets: list[str] = []
    problems: dict[str, str] = {}
    datasets: list[DatasetChoice] = []
    models: list[ModelChoice] = []
    layers: list[LayerChoice] = []
    presets: list[PresetCard] = []
    plan: Plan = Plan()
    review: list[ReviewRow] = []
    notice: str = ""
    saved_at: str = ""
    launching: bool = False
    advanced_open: bool = False
    _key: str = ""
    _query: str = ""
    _wish: int = 0
    _launched: int = 0

    @rx.var
    def dataset(self) -> DatasetChoice | None:
        """The chosen dataset."""
        return next((d for d in self.datasets if d.id == self.dataset_id), None)

    @rx.var
    def model(self) -> ModelChoice | None:
        """The chosen base model."""
        return next((m for m in self.models if m.id == self.model_id), None)

    @rx.var
    def dataset_name(self) -> str:
        """The chosen dataset's name, or ""."""
        return next((d.name for d in self.datasets if d.id == self.dataset_id), "")

    @rx.var
    def model_name(self) -> str:
        """The chosen base model's name, or ""."""
        return next((m.name for m in self.models if m.id == self.model_id), "")

    @rx.var
    def preset(self) -> str:
        """The preset that the fields are, or ""."""
        return form.matching_preset(self.values, self._parameters())

    @rx.var
    def preset_title(self) -> str:
        """Its name, or "Own values"."""
        return dict(form.PRESETS).get(form.matching_preset(self.values, self._parameters()), "Own values")

    @rx.var
    def clips_a_step(self) -> str:
        """What one optimizer step sees, or ""."""
        batch = self.values.get("optim.batch_size", "").strip()
        times = self.values.get("optim.gradient_accumulation", "").strip()
        return words.plural(int(batch) * int(times), "clip") + " a step" if batch.isdigit() and times.isdigit() else ""

    @rx.event
    @signed_in
    async def load(self):
        """Opens the wizard: the draft, or what the address asks for (?dataset=&model= or ?clone=)."""
        query = dict(self.router.url.query_parameters)
        opening = await act(self, open_wizard, query)
        self._take(opening)
        if self.model_id:
            await self._read_layers(keep=bool(self.targets))
        if opening.jump:
            self._advance_to(4 if not self._current_problems() else 3)
        self.ready = True
        return JobForm.refresh

    @rx.event
    @signed_in
    async def choose_dataset(self, dataset_id: int):
        """Step 1: one dataset, which decides the models that fit."""
        chosen = next((d for d in self.datasets if d.id == int(dataset_id) and not d.reason), None)
        if chosen is None:
            return None
        name = self._auto_name()
        self.dataset_id = chosen.id
        self._drop_problem("dataset_id")
        self.models = fit_models(self.models, chosen.task)
        if any(m.id == self.model_id and m.reason for m in self.models):
            self.model_id, self.layers, self.targets = 0, [], []
        self._rename(name)
        return JobForm.refresh

    @rx.event
    @signed_in
    async def choose_model(self, model_id: int):
        """Step 2: one base model, which decides the defaults."""
        chosen = next((m for m in self.models if m.id == int(model_id) and not m.reason), None)
        if chosen is None or chosen.id == self.model_id:
            return None
        name = self._auto_name()
        self.model_id = chosen.id
        kept = self.values.get("output_name", "")
        self.values = form.default_values(chosen.parameters) | {
            "training_type": self.values.get("training_type", "finetune"),
            "output_name": kept,
        }
        self.problems = {}
        self._rename(name)
        await self._read_layers(keep=False)
        return JobForm.refresh

    @rx.event
    @signed_in
    async def set_value(self, field: str, text: str):
        """Keeps what was typed; a sentence that stands beside the field goes as soon as the field is right."""
        if field not in form.PARAMETER_FIELDS and field != "training_type":
            return None
        self._set(field, text)
        if field in self.problems:
            self._check(field)
        return JobForm.refresh

    @rx.event
    @signed_in
    async def leave(self, field: str, text: str):
        """As a field is left: keeps it and says what is wrong with it."""
        if field not in form.PARAMETER_FIELDS:
            return None
        changed = self.values.get(field, "") != text
        self._set(field, text)
        self._check(field)
        return JobForm.refresh if changed else None

    @rx.event
    @signed_in
    async def toggle_target(self, suffix: str, on: bool):
        """Adds or takes away one kind of layer."""
        known = [layer.suffix for layer in self.layers]
        wanted = (set(self.targets) | {suffix}) if on else (set(self.targets) - {suffix})
        self.targets = [name for name in known if name in wanted]
        self._check("qlora.target_modules")
        return JobForm.refresh

    @rx.event
    @signed_in
    async def choose_preset(self, key: str):
        """Fills in the fields that a preset sets."""
        if key not in dict(form.PRESETS):
            return None
        for field, text in form.preset_values(key, self._parameters()).items():
            self._set(field, text)
            self._drop_problem(field)
        return JobForm.refresh

    @rx.event
    @signed_in
    async def toggle_advanced(self):
        """Opens or folds the rarer fields."""
        self.advanced_open = not self.advanced_open

    @rx.event
    @signed_in
    async def next(self):
        """One step on, when this one is whole; else the first bad field gets the caret."""
        bad = self._problems_of_step(self.step)
        self.problems = bad
        if bad:
            return self._show(next(iter(bad)))
        self._advance_to(min(4, self.step + 1))
        return [JobForm.refresh, rx.scroll_to("wizard-top")]

    @rx.event
    @signed_in
    async def go(self, step: int):
        """To a step that was reached before: from the stepper or an Edit link."""
        wanted = int(step)
        if 1 <= wanted <= self.reached:
            self.step = wanted
            return [JobForm.refresh, rx.scroll_to("wizard-top")]
        return None

    @rx.event
    @signed_in
    async def back(self):
        """One step back; nothing typed is lost."""
        self.step = max(1, self.step - 1)
        return [JobForm.refresh, rx.scroll_to("wizard-top")]

    @rx.event
    @signed_in
    async def cancel(self):
        """Forgets the draft and leaves."""
        await act(self, drafts.clear_draft)
        self.reset()
        return rx.redirect("/jobs")

    @rx.event
    @signed_in
    async def launch(self):
        """Launches what the review shows. The draft's key makes a second click find the same job."""
        if self._launched:
            yield rx.redirect(f"/jobs/{self._launched}")
            return
        bad = self._problems_of_step(1) | self._problems_of_step(2) | self._problems_of_step(3)
        if bad:
            self.problems = bad
            yield self._show(next(iter(bad)))
            return
        self.launching = True
        yield
        recipe = form.read_recipe(self.values, self.targets, bool(self.layers))
        try:
            job = await act(self, launch_job, self.dataset_id, self.model_id, recipe, self._key)
            await act(self, drafts.clear_draft)
        except AppError as error:
            self.launching = False
            self.problems = {field: sentence for field, sentence in problems_of(error).items() if field}
            yield self._show(next(iter(self.problems))) if self.problems else said(error)
            return
        except BaseException:
            self.launching = False
            raise
        self._launched = job.id
        yield rx.redirect(f"/jobs/{job.id}")

    @rx.event(background=True)
    @signed_in
    async def refresh(self):
        """Saves the draft and works the plan out anew, once the typing rests."""
        async with self:
            self._wish += 1
            mine = self._wish
        await asyncio.sleep(REST)
        async with self:
            if mine != self._wish or self._launched or not self.ready:
                return
            draft = self._draft()
            values, targets = dict(self.values), list(self.targets)
            dataset_id, model_id = self.dataset_id, self.model_id
            parameters, has_layers = self._parameters(), bool(self.layers)
        saved = await act(self, drafts.save_draft, draft)
        plan, presets, recipe = None, None, None
        if dataset_id and model_id:
            found = await act(self, estimate, dataset_id, model_id, values, targets, parameters, has_layers)
            plan, presets, recipe = found
        async with self:
            if mine != self._wish:
                return
            self.saved_at = words.iso(saved.updated_at or datetime.now(UTC))
            self.plan = plan or Plan()
            self.presets = presets or []
            if recipe is not None:
                self.review = review_rows(self.dataset_name, self.model_name, recipe, self.plan.clips)

    def _take(self, opening: Opening) -> None:
        self.datasets, self.models = opening.datasets, opening.models
        self.dataset_id, self.model_id = opening.dataset_id, opening.model_id
        self.values, self.targets = opening.values, opening.targets
        self.notice = opening.notice
        self.problems, self.launching, self._launched = {}, False, 0
        self._key, self._query = opening.key, opening.query
        self.reached = opening.reached
        self.step = min(opening.step, opening.reached)
        self.saved_at = words.iso(opening.saved_at)
        if not self.values.get("output_name"):
            self._set("output_name", self._auto_name())

    def _draft(self) -> dict[str, Any]:
        return {
            "dataset_id": self.dataset_id,
            "model_id": self.model_id,
            "values": dict(self.values),
            "targets": list(self.targets),
            "step": self.step,
            "reached": self.reached,
            "query": self._query,
        }

    async def _read_layers(self, keep: bool) -> None:
        """The layers of the chosen model; the default ones are ticked unless a draft says otherwise."""
        self.layers = await act(self, layers_of, self.model_id)
        known = [layer.suffix for layer in self.layers]
        kept = [name for name in known if name in self.targets] if keep else []
        self.targets = kept or [layer.suffix for layer in self.layers if layer.default] or known

    def _parameters(self) -> int:
        return next((m.parameters for m in self.models if m.id == self.model_id), 0)

    def _set(self, field: str, text: str) -> None:
        name = self._auto_name() if field == "qlora.r" else ""
        self.values = {**self.values, field: str(text)[:200]}
        if name:
            self._rename(name)

    def _auto_name(self) -> str:
        return form.output_name(self.dataset_name, self.model_name, self.values.get("qlora.r", "").strip())

    def _rename(self, before: str) -> None:
        """A name that the person did not type follows the choices."""
        if self.values.get("output_name", "") in ("", before, "adapter"):
            self.values = {**self.values, "output_name": self._auto_name()}

    def _current_problems(self) -> dict[str, str]:
        return form.problems_in(self.values, self.targets, bool(self.layers))

    def _problems_of_step(self, step: int) -> dict[str, str]:
        if step == 1 and (self.dataset is None or self.dataset.reason):
            return {"dataset_id": "Choose a dataset to learn from."}
        if step == 2 and (self.model is None or self.model.reason):
            return {"model_id": "Choose a base model to train."}
        return self._current_problems() if step == 3 else {}

    def _check(self, field: str) -> None:
        sentence = self._current_problems().get(field, "")
        rest = {name: text for name, text in self.problems.items() if name != field}
        self.problems = rest | {field: sentence} if sentence else rest

    def _drop_problem(self, field: str) -> None:
        self.problems = {name: text for name, text in self.problems.items() if name != field}

    def _advance_to(self, step: int) -> None:
        self.step = step
        self.reached = max(self.reached, step)

    def _show(self, field: str) -> Any:
        """Opens the step (and the fold) where a bad field stands, and puts the caret there."""
        self.step = STEP_OF.get(field, 3)
        if field in form.ADVANCED_FIELDS:
            self.advanced_open = True
        return focus(field)
