"""The values of the wizard's fields and the rules between them; the event handlers are in new.py."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipe_defaults import TINY_PARAMETERS
from orchestrator.domain.recipe_fields import Section
from orchestrator.services.training.drafts import Edit
from orchestrator.services.training.rows import Draft
from orchestrator.states.jobs import new_sweep as sweep
from orchestrator.states.jobs import new_values as form
from orchestrator.states.jobs.new_load import Opening, adapter_choices, layers_of
from orchestrator.states.jobs.new_recipe import RecipeNote
from orchestrator.states.jobs.new_rows import (
    Cloned,
    DatasetChoice,
    LayerChoice,
    ModelChoice,
    Plan,
    PresetCard,
    ReviewBlock,
    version_choices,
)
from orchestrator.states.shared.focus import focus_element
from orchestrator.states.shared.guards import problems_of, run_as_user, toast_for


class JobFormFields(rx.State, mixin=True):
    """The vars of the wizard and what is computed from them."""

    loaded: bool = False
    step: int = 1
    reached: int = 1
    dataset_id: int = 0
    dataset_version: int = 0
    """0: the newest."""
    cloned: Cloned = Cloned()
    """The job that this wizard began with."""
    model_id: int = 0
    values: dict[str, str] = {}
    targets: list[str] = []
    problems: dict[str, str] = {}
    datasets: list[DatasetChoice] = []
    models: list[ModelChoice] = []
    layers: list[LayerChoice] = []
    adapters: list[dict[str, str]] = []
    """The adapters of the chosen base that a run may continue from, and none."""
    presets: list[PresetCard] = []
    plan: Plan = Plan()
    review: list[ReviewBlock] = []
    notice: str = ""
    recipe_summary: str = ""
    """What a recipe file filled in; "" until one was put in."""
    recipe_notes: list[RecipeNote] = []
    """Its lines that were not taken."""
    recipe_error: str = ""
    """Why a file is no recipe."""
    pasting: bool = False
    saved_at: str = ""
    launching: bool = False
    open_groups: list[str] = []
    """The headings of advanced fields that are open."""
    draft_id: int = 0
    """The stored draft of this opening, which the address names; 0 until something was changed."""
    _key: str = ""
    _tab: str = ""
    """Tells the changes of this opening from those of other tabs."""
    _stored_edit: tuple[str, int] = ("", 0)
    """The stored change that this opening began with."""
    _kept: dict[str, Any] = {}
    """The values as they are stored, or as the wizard opened with them."""
    _edit_count: int = 0
    _launched: bool = False
    _address: str = ""
    """The page of what was launched."""

    @rx.var
    def dataset(self) -> DatasetChoice | None:
        """The chosen dataset."""
        return next((d for d in self.datasets if d.id == self.dataset_id), None)

    @rx.var
    def without_adapters(self) -> bool:
        """A clone or a recipe file switched adapters off; no control of the form does."""
        return self.values.get("qlora.enabled") == "" and self.values.get("training_type") != "pretrain"

    @rx.var
    def versions(self) -> list[dict[str, str]]:
        """The versions of the chosen dataset to learn from; [] where there is only one."""
        return version_choices(self.dataset, self.cloned)

    @rx.var
    def other_version(self) -> int:
        """The version that the cloned job learned from, where another one is chosen; else 0."""
        dataset = self.dataset
        if dataset is None or self.cloned.dataset_id != dataset.id:
            return 0
        return self.cloned.version if self.cloned.version != (self.dataset_version or dataset.version) else 0

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
    def sweep_jobs(self) -> int:
        """How many jobs a launch creates: more than 1 for a sweep; 0 while its values are invalid."""
        return sweep.count_jobs(self.values)

    @rx.var
    def training_note(self) -> str:
        """What the chosen training type trains of the chosen base."""
        return form.training_note(self.values.get("training_type", ""), self._task())

    @rx.var
    def preset(self) -> str:
        """The preset whose values the fields have, or ""."""
        return form.matching_preset(self.values, self._parameters(), self._task(), self._family())

    @rx.var
    def preset_title(self) -> str:
        """The name of that preset, with how many other fields differ from their defaults; or "Custom"."""
        preset = form.matching_preset(self.values, self._parameters(), self._task(), self._family())
        title = dict(form.PRESETS).get(preset, "")
        if not title:
            return "Custom"
        return f"{title}, {self.changed} changed" if self.changed else title

    @rx.var
    def changed(self) -> int:
        """How many fields differ from the chosen preset, or from the defaults of the base where none is chosen."""
        return form.count_changed(self.values, self._parameters(), self._task(), self._family())

    @rx.var
    def clips_per_step(self) -> str:
        """Clips per optimizer step, or "" while that is unknown."""
        batch = parse_id(self.values.get("optim.batch_size", "").strip())
        times = parse_id(self.values.get("optim.gradient_accumulation", "").strip())
        return formatting.plural(batch * times, "clip") + " per step" if batch and times else ""

    @rx.var
    def all_linear(self) -> bool:
        """Every layer of the default choice is chosen."""
        defaults = {layer.suffix for layer in self.layers if layer.default}
        return bool(defaults) and defaults <= set(self.targets)

    @rx.var
    def rate_path(self) -> str:
        """The learning rate over the run, as an SVG path."""
        return form.rate_path(self.values)

    @rx.var
    def rate_hint(self) -> str:
        """The usual range of the learning rate for the chosen base."""
        tiny = 0 < self._parameters() < TINY_PARAMETERS
        return "usual: 5e-4 to 3e-3" if tiny else "usual: 1e-4 to 3e-4"

    @rx.var
    def targets_note(self) -> str:
        """How many parameters are trained, or ""."""
        plan = self.plan
        share = f", {plan.trainable_share}" if plan.trainable_share else ""
        return f"{plan.trainable} trainable{share}" if plan.known else ""

    @rx.var
    def layer_sizes(self) -> dict[str, str]:
        """The parameters that the adapters of each kind of layer have at the typed rank."""
        rank = parse_id(self.values.get("qlora.r", "").strip())
        return {layer.suffix: formatting.short_count(rank * layer.sides) if rank else "" for layer in self.layers}

    @rx.var
    def launch_word(self) -> str:
        """What the last button says."""
        return f"Launch {self.sweep_jobs} jobs" if self.sweep_jobs > 1 else "Launch training"

    @rx.var
    def head_note(self) -> str:
        """What is trained in addition to the adapters."""
        return form.head_note(self._task(), self.plan.has_vision_tower)

    def _show_opening(self, opening: Opening) -> None:
        self.datasets, self.models = opening.datasets, opening.models
        self.dataset_id, self.model_id = opening.dataset_id, opening.model_id
        self.dataset_version, self.cloned = opening.dataset_version, opening.cloned
        self.values, self.targets = opening.values, opening.targets
        self.notice = opening.notice
        self.problems, self.launching, self._launched = {}, False, False
        self.recipe_summary, self.recipe_notes, self.recipe_error, self.pasting = "", [], "", False
        self._take_draft(opening.draft)
        self.reached = opening.reached
        self.step = min(opening.step, opening.reached)
        if not self.values.get("output_name"):
            self._set("output_name", self._auto_name())

    def _take_draft(self, draft: Draft) -> None:
        """Saves to this draft from now on."""
        self.draft_id, self._key, self._stored_edit = draft.id, draft.launch_key, draft.stored_edit
        self._tab = secrets.token_urlsafe(9)
        self.saved_at = formatting.iso(draft.updated_at)

    def _begin_own_draft(self, notice: str) -> None:
        """What this tab shows becomes a new draft, because the stored one is another tab's by now."""
        self._take_draft(Draft(launch_key=secrets.token_urlsafe(18)))
        self.notice, self._kept = notice, {}

    def _edit(self) -> Edit:
        return Edit(self._key, self._tab, self._edit_count, self._stored_edit)

    def _draft(self) -> dict[str, Any]:
        return {
            "dataset_id": self.dataset_id,
            "dataset_version": self.dataset_version,
            "cloned": asdict(self.cloned),
            "model_id": self.model_id,
            "values": dict(self.values),
            "targets": list(self.targets),
            "step": self.step,
            "reached": self.reached,
        }

    async def _read_layers(self, keep: bool) -> None:
        """The layers of the chosen model; the default ones are ticked unless a draft says otherwise."""
        self.layers = await run_as_user(self, layers_of, self.model_id)
        self.adapters = await run_as_user(self, adapter_choices, self.model_id)
        known = [layer.suffix for layer in self.layers]
        chosen = [name for name in known if name in self.targets] if keep else []
        self.targets = chosen or [layer.suffix for layer in self.layers if layer.default] or known

    def _dataset_label(self) -> str:
        """The chosen dataset with its version, as the review names it."""
        dataset = self.dataset
        if dataset is None or dataset.version < 2:
            return self.dataset_name
        version = self.dataset_version or dataset.version
        return f"{dataset.name}, version {version}" + ("" if self.dataset_version else ", the newest")

    def _parameters(self) -> int:
        return next((m.parameters for m in self.models if m.id == self.model_id), 0)

    def _task(self) -> str:
        return next((m.task for m in self.models if m.id == self.model_id), "")

    def _family(self) -> str:
        return next((m.family for m in self.models if m.id == self.model_id), "")

    def _set(self, field: str, text: str) -> None:
        name = self._auto_name() if field == "qlora.r" else ""
        self.values = {**self.values, field: str(text)[:200]}
        if name:
            self._rename(name)

    def _auto_name(self) -> str:
        if not self.dataset_name or not self.model_name:
            return ""
        return form.output_name(self.dataset_name, self.model_name, self.values.get("qlora.r", "").strip())

    def _rename(self, before: str) -> None:
        """Updates a name that was not typed by hand."""
        if self.values.get("output_name", "") in ("", before, "adapter"):
            self.values = {**self.values, "output_name": self._auto_name()}

    def _current_problems(self) -> dict[str, str]:
        problems = form.problems_in(self.values, self.targets, bool(self.layers))
        return problems or sweep.grid_problems(self.values, form.raw_recipe(self.values, self.targets))

    def _problems_of_step(self, step: int) -> dict[str, str]:
        if step == 1 and (self.dataset is None or self.dataset.reason):
            return {"dataset_id": "Choose a dataset to learn from."}
        if step == 2 and (self.model is None or self.model.reason):
            return {"model_id": "Choose a base model to train."}
        return self._current_problems() if step == 3 else {}

    def _check(self, field: str) -> None:
        message = self._current_problems().get(field, "")
        rest = {name: text for name, text in self.problems.items() if name != field}
        self.problems = rest | {field: message} if message else rest

    def _drop_problem(self, field: str) -> None:
        self.problems = {name: text for name, text in self.problems.items() if name != field}

    def _advance_to(self, step: int) -> None:
        self.step = step
        self.reached = max(self.reached, step)

    def _focus(self, field: str) -> Any:
        """Opens the step, and the group of advanced fields, with a field, and focuses it."""
        self.step = STEP_OF.get(field, 3)
        spec = form.FORM_FIELDS[field].spec if field in form.FORM_FIELDS else None
        if spec and spec.section is Section.ADVANCED and spec.group not in self.open_groups:
            self.open_groups = [*self.open_groups, spec.group.value]
        return focus(field)

    def _show_refusal(self, error: AppError) -> Any:
        """Shows a refusal at the fields that it names, and focuses the first; a toast where the page has none."""
        self.problems = problems_by_control(problems_of(error), self.values)
        return self._focus(next(iter(self.problems))) if self.problems else toast_for(error)


STEP_OF = {"dataset_id": 1, "dataset_version": 1, "model_id": 2}
"""The step of a field; all others are in step 3."""
_CONTROL_ORDER = (*STEP_OF, *form.FORM_FIELDS, *sorted(sweep.SWEEP_FIELDS))


def control_id(field: str) -> str:
    """The id of a field's control on the page."""
    return "field-" + field.replace(".", "-").replace("_", "-")


def problems_by_control(problems: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Messages by the control of the page where they are shown, in the order of the page.

    A field of a sweep is typed in the sweep's own control; fields that the page does not have are left out.
    """
    rows = {values.get(f"sweep.field{row}"): f"sweep.values{row}" for row in reversed(sweep.ROWS)}
    by_control: dict[str, str] = {}
    for field, message in problems.items():
        by_control.setdefault(rows.get(field, f"sweep.values{sweep.ROWS[0]}" if field == "sweep" else field), message)
    return {field: by_control[field] for field in _CONTROL_ORDER if field in by_control}


def focus(field: str) -> rx.event.EventSpec:
    """Scrolls a field into view and focuses it, once the page has drawn it."""
    return focus_element(control_id(field))
