"""The models that stay in memory between questions: the last ones used, until a training needs the memory."""

import gc
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import torch
from sqlmodel import col, select

from jobs.families.multi_label import problem_type_of
from jobs.families.protocol import Family, Plan
from jobs.families.registry import read_base, resolve
from orchestrator.domain import formatting
from orchestrator.domain.errors import Invalid, Unavailable
from orchestrator.domain.recipes import Recipe, parse_recipe, stored_recipe
from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.domain.training_jobs import ON_WORKER, TrainingJob
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import CheckedRequest

MAX_MODELS = 3
_LOADING_FACTOR = 1.3
"""The memory that loading and quantizing a model takes, as a multiple of its files."""
_RESERVED_BYTES = 512 * 2**20
_SLOW_IMPORTS = (
    "bitsandbytes",
    "peft",
    "transformers.generation.utils",
    "transformers.integrations.bitsandbytes",
    "transformers.models.auto.modeling_auto",
    "transformers.quantizers.quantizer_bnb_4bit",
)


@dataclass(slots=True)
class Loaded:
    """A model in memory; one with an adapter also answers without it."""

    plan: Plan
    family: Family
    model: Any
    load_ms: float
    used_at: float = 0.0


def preload() -> None:
    """Imports what the first model needs while the user still chooses a clip: libraries load their parts lazily."""
    for name in _SLOW_IMPORTS:
        import_module(name)


class ModelCache:
    """At most `MAX_MODELS` models; the least recently used is unloaded first."""

    def __init__(self, worker: str = "") -> None:
        self._worker = worker
        self._models: dict[tuple[str, ...], Loaded] = {}

    def find(self, checked: CheckedRequest) -> Loaded | None:
        """The model of a question, where it is in memory."""
        loaded = self._models.get(_key(checked))
        if loaded is not None:
            loaded.used_at = time.monotonic()
        return loaded

    def load(self, checked: CheckedRequest) -> Loaded:
        """Loads the model of a question, and unloads another one if needed.

        Raises:
            Invalid: the files do not fit together. Unavailable: it needs more memory than is free.
        """
        started = time.monotonic()
        self._unload(len(self._models) - MAX_MODELS + 1)
        device = self._device(checked)
        plan = plan_of(checked, device)
        family = resolve(plan.base)
        torch.manual_seed(0)  # a head with random weights then answers the same each time
        model = family.load(plan)
        if checked.adapter is not None:
            model = _with_adapter(model, checked.adapter.folder)
        model.eval()
        now = time.monotonic()
        self._models[_key(checked)] = loaded = Loaded(plan, family, model, 1000 * (now - started), now)
        return loaded

    def free_memory(self) -> None:
        """A training begins: unloads all models on a GPU, and the others where more than half of the memory is used."""
        scarce = psutil.virtual_memory().percent > 50
        for key, loaded in list(self._models.items()):
            if scarce or loaded.plan.device != "cpu":
                del self._models[key]
        _release_memory()

    def _device(self, checked: CheckedRequest) -> str:
        """The GPU where no training uses it and the model fits, else the CPU where it fits."""
        need = int(checked.model_bytes * _LOADING_FACTOR) + _RESERVED_BYTES
        if torch.cuda.is_available() and not self._is_training():
            if torch.cuda.mem_get_info()[0] < need:
                self._unload(MAX_MODELS)
            if torch.cuda.mem_get_info()[0] >= need:
                return "cuda:0"
        if psutil.virtual_memory().available < need:
            self._unload(MAX_MODELS)
        if psutil.virtual_memory().available < need:
            free = psutil.virtual_memory().available
            raise Unavailable(
                f"{checked.model_name} needs about {formatting.size(need)} of memory and the worker's machine has "
                f"{formatting.size(free)} free. Wait until a training is over, or use a smaller model."
            )
        return "cpu"

    def _is_training(self) -> bool:
        on_this_worker = (col(TrainingJob.status).in_(ON_WORKER), col(TrainingJob.worker) == self._worker)
        with session_scope() as session:
            return session.exec(select(TrainingJob.id).where(*on_this_worker).limit(1)).first() is not None

    def _unload(self, count: int) -> None:
        for key in sorted(self._models, key=lambda key: self._models[key].used_at)[: max(0, count)]:
            del self._models[key]
        if count > 0:
            _release_memory()


def plan_of(checked: CheckedRequest, device: str) -> Plan:
    """The plan with which the family loads the model as it was trained.

    Raises:
        Invalid: a classifier without an adapter has no classes of its own.
    """
    base = read_base(checked.model_path)
    adapter = checked.adapter
    recipe = parse_recipe(stored_recipe(adapter.recipe)) if adapter else Recipe()
    classifies = task_spec(checked.task).answer is AnswerKind.CLASSES
    folder = adapter.folder if adapter else None
    config = read_base(folder).config if folder and classifies else base.config
    names = class_names(config) if classifies else ()
    return Plan(
        base,
        recipe,
        checked.task,
        names,
        problem_type=problem_type_of(config),
        device=device,
        inference_only=True,
        adapter=folder,
        question=adapter.question if adapter else "",
        system=adapter.system if adapter else "",
    )


def class_names(config: dict[str, Any]) -> tuple[str, ...]:
    """The classes of a config.json.

    Raises:
        Invalid: it has none.
    """
    by_index = {int(index): str(name) for index, name in (config.get("id2label") or {}).items()}
    names = tuple(by_index[index] for index in sorted(by_index))
    if not names or all(name == f"LABEL_{index}" for index, name in enumerate(names)):
        raise Invalid("This base has no classes of its own. Choose an adapter that was made from it.", "adapter_id")
    return names


def _with_adapter(model: Any, folder: Path) -> Any:
    from peft import PeftModel

    # Without this file peft would load a pickle.
    if not (folder / "adapter_model.safetensors").is_file():
        raise Invalid("This adapter has no safetensors file. Train it again.", "adapter_id")
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Invalid(f"The adapter does not fit its base: {reason[:200]}", "adapter_id") from error


def _key(checked: CheckedRequest) -> tuple[str, ...]:
    """What identifies the model: an adapter whose file was written again is another one."""
    adapter = checked.adapter.folder / "adapter_model.safetensors" if checked.adapter else None
    modified = str(adapter.stat().st_mtime_ns) if adapter and adapter.exists() else ""
    return (checked.task, str(checked.model_path), checked.model_revision, str(adapter or ""), modified)


def _release_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
