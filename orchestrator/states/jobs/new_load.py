"""Reads what the wizard needs: the choices, the draft or what the address names, and the estimates of a recipe."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from orchestrator.domain.adapters import ResultKind
from orchestrator.domain.errors import AppError, Invalid, NotFound
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipes import Recipe, parse_recipe, stored_recipe
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import get_adapter, list_adapters
from orchestrator.services.datasets.catalog import list_datasets
from orchestrator.services.datasets.overview import dataset_extras
from orchestrator.services.models.catalog import list_models, model_layers
from orchestrator.services.training.clone import clone_job
from orchestrator.services.training.defaults import recipe_defaults
from orchestrator.services.training.drafts import open_draft
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.rows import Draft, Preflight
from orchestrator.services.workers import list_workers
from orchestrator.states.jobs import new_sweep as sweep
from orchestrator.states.jobs import new_values as form
from orchestrator.states.jobs.new_rows import (
    Cloned,
    DatasetChoice,
    LayerChoice,
    ModelChoice,
    Plan,
    PresetCard,
    dataset_choice,
    fit_models,
    layer_choices,
    make_plan,
    model_choice,
    preset_card,
)

DATASET_UNAVAILABLE = "The dataset of this draft was deleted or is not ready. Choose another one."
MODEL_UNAVAILABLE = "The base model of this draft was deleted or does not fit. Choose another one."
NO_ADAPTER = "none"
"""The choice of a new adapter."""
MAX_CHOICES = 200
"""Datasets or models that a step lists at most."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How the wizard starts."""

    datasets: list[DatasetChoice]
    models: list[ModelChoice]
    draft: Draft
    dataset_id: int = 0
    model_id: int = 0
    values: dict[str, str] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    step: int = 1
    reached: int = 1
    jump: bool = False
    notice: str = ""
    dataset_version: int = 0
    """0: the newest."""
    cloned: Cloned = field(default_factory=Cloned)


def open_wizard(session: Session, actor: Actor, query: dict[str, str]) -> Opening:
    """The draft that the address names (?draft=ID), else a new one with what the address chooses."""
    notice = ""
    try:
        draft = open_draft(session, actor, parse_id(query.get("draft", "")))
    except NotFound as error:
        draft, notice = open_draft(session, actor), error.message
    rows = list_datasets(session, actor, limit=MAX_CHOICES).items
    extras = dataset_extras(session, actor, [row.id for row in rows])
    datasets = [dataset_choice(row, extras[row.id].clip_ids if row.id in extras else ()) for row in rows]
    models = list_models(session, actor, limit=MAX_CHOICES).items
    stored = draft.values
    start = Opening(
        datasets=datasets,
        models=[],
        draft=draft,
        dataset_id=int(stored.get("dataset_id") or 0),
        model_id=int(stored.get("model_id") or 0),
        values={str(k): str(v) for k, v in (stored.get("values") or {}).items()},
        targets=[str(name) for name in stored.get("targets") or []],
        step=int(stored.get("step") or 1),
        reached=int(stored.get("reached") or 1),
        notice=notice,
        dataset_version=int(stored.get("dataset_version") or 0),
        cloned=Cloned(**(stored.get("cloned") or {})),
    )
    if not draft.id:
        start = _apply_address(session, actor, start, query)
    return _drop_unavailable(session, actor, start, models)


def _apply_address(session: Session, actor: Actor, start: Opening, query: dict[str, str]) -> Opening:
    """Applies ?clone=ID, or ?dataset=ID and ?model=ID, to a new draft."""
    if query.get("clone"):
        try:
            source = clone_job(session, actor, parse_id(query["clone"]))
        except AppError as error:
            return replace(start, notice=error.message)
        recipe = Recipe.model_validate(source.recipe)
        return replace(
            start,
            dataset_id=source.dataset_id or 0,
            model_id=source.model_id or 0,
            values=form.values_from_recipe(recipe),
            targets=list(recipe.qlora.target_modules),
            reached=4,
            step=3,
            notice=" ".join([*source.deleted.values(), *source.notes]),
            cloned=Cloned(source.job_name, source.dataset_id or 0, source.own_version),
        )
    if query.get("adapter"):
        return _continue_from(session, actor, start, parse_id(query["adapter"]))
    dataset_id, model_id = (parse_id(query.get(name, "")) for name in ("dataset", "model"))
    return replace(start, dataset_id=dataset_id, model_id=model_id, jump=bool(dataset_id and model_id))


def _continue_from(session: Session, actor: Actor, start: Opening, adapter_id: int) -> Opening:
    """The recipe, base and dataset of an adapter, to train it further as the next version of its name."""
    try:
        row = get_adapter(session, actor, adapter_id)
        recipe = parse_recipe(stored_recipe(row.recipe))
    except AppError as error:
        return replace(start, notice=error.message)
    return replace(
        start,
        dataset_id=row.dataset_id or 0,
        model_id=row.model_id or 0,
        values=form.values_from_recipe(recipe) | {"adapter": str(adapter_id), "output_name": row.name},
        targets=list(recipe.qlora.target_modules),
        reached=4,
        step=3,
    )


def adapter_choices(session: Session, actor: Actor, model_id: int) -> list[dict[str, str]]:
    """The adapters of a base that a run may continue from, behind the choice of none; [] where there are none."""
    rows = [row for row in list_adapters(session, actor, model_id=model_id).items if row.kind == ResultKind.ADAPTER]
    options = [{"value": str(row.id), "label": f"{row.name} v{row.version}"} for row in rows]
    return [{"value": NO_ADAPTER, "label": "None"}, *options] if options else []


def _drop_unavailable(session: Session, actor: Actor, start: Opening, model_rows: list[Any]) -> Opening:
    """Drops choices that were deleted or do not fit any more, with a notice, and fills empty fields with defaults."""
    notice = start.notice
    dataset = next((d for d in start.datasets if d.id == start.dataset_id and not d.reason), None)
    models = fit_models([model_choice(row) for row in model_rows], dataset.task if dataset else "")
    model = next((m for m in models if m.id == start.model_id and not m.reason), None)
    if start.dataset_id and dataset is None:
        notice = DATASET_UNAVAILABLE
    elif start.model_id and model is None:
        notice = MODEL_UNAVAILABLE
    reached = 1 if dataset is None else min(start.reached, 2) if model is None else start.reached
    found = recipe_defaults(session, actor, dataset.id if dataset else 0, model.id) if model else []
    values = form.values_from_defaults(found) if found else form.default_values(0)
    defaults = values | {"output_name": ""} | sweep.EMPTY
    return replace(
        start,
        models=models,
        dataset_id=dataset.id if dataset else 0,
        dataset_version=start.dataset_version if dataset and start.dataset_version < dataset.version else 0,
        model_id=model.id if model else 0,
        values=defaults | start.values,
        reached=max(1, min(4, reached)),
        step=max(1, min(4, start.step, reached)),
        jump=start.jump and dataset is not None and model is not None,
        notice=notice,
    )


def layers_of(session: Session, actor: Actor, model_id: int) -> list[LayerChoice]:
    """The layers of a model that may get an adapter."""
    return layer_choices(model_layers(session, actor, model_id))


def estimate(
    session: Session,
    actor: Actor,
    dataset_id: int,
    model_id: int,
    values: dict[str, str],
    targets: list[str],
    parameters: int,
    task: str,
    family: str,
    has_layers: bool,
    dataset_version: int = 0,
) -> tuple[Plan, list[PresetCard], Recipe | None]:
    """The plan of the form, a card for each preset, and the recipe; no plan while the form has an invalid field."""
    recipe = _recipe(values, targets, has_layers)
    plan = Plan()
    if recipe is not None:
        checked = preflight(session, actor, dataset_id, model_id, recipe, dataset_version)
        plan = make_plan(checked, list_workers(session, actor), recipe.machine.need)
    cards = []
    for key, title in form.PRESETS:
        preset = _recipe(values | form.preset_values(key, parameters, task, family), targets, has_layers)
        # An invalid field elsewhere must not remove the estimates of the presets.
        preset = preset or Recipe.model_validate(
            form.raw_recipe(
                form.default_values(parameters, task, family) | form.preset_values(key, parameters, task, family),
                targets,
            )
        )
        cards.append(preset_card(key, title, preset, _preflight_or_empty(session, actor, dataset_id, model_id, preset)))
    return plan, cards, recipe


def _preflight_or_empty(session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe) -> Preflight:
    try:
        return preflight(session, actor, dataset_id, model_id, recipe)
    except AppError:
        return Preflight(ok=False, problems=[])


def _recipe(values: dict[str, str], targets: list[str], has_layers: bool) -> Recipe | None:
    try:
        return form.read_recipe(values, targets, has_layers)
    except Invalid:
        return None
