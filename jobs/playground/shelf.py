"""The models that stay in memory between two questions: the last ones used, gone when a training needs room."""

import gc
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import torch
from sqlmodel import col, select

from jobs.families.protocol import Family, Plan
from jobs.families.registry import read_base, resolve
from orchestrator.domain.errors import Invalid, Unavailable
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.domain.training_jobs import ON_WORKER, TrainingJob
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import CheckedRequest

PLACES = 3
_PEAK = 1.3
"""Times its file that a model takes while it is loaded and quantized."""
_SPARE_BYTES = 512 * 2**20
_HEAVY = (
    "bitsandbytes",
    "peft",
    "transformers.generation.utils",
    "transformers.integrations.bitsandbytes",
    "transformers.models.auto.modeling_auto",
    "transformers.quantizers.quantizer_bnb_4bit",
)


@dataclass(slots=True)
class Loaded:
    """A model that answers; with an adapter it also answers without it."""

    plan: Plan
    family: Family
    model: Any
    load_ms: float
    used_at: float = 0.0


def preload() -> None:
    """Imports what the first model needs, while somebody still chooses a clip: libraries load their parts lazily."""
    for name in _HEAVY:
        import_module(name)


class ModelCache:
    """At most `PLACES` models, the longest unused goes first."""

    def __init__(self, worker: str = "") -> None:
        self._worker = worker
        self._places: dict[tuple[str, ...], Loaded] = {}

    def find(self, asked: CheckedRequest) -> Loaded | None:
        """The model of a question, where it is in memory."""
        found = self._places.get(_key(asked))
        if found is not None:
            found.used_at = time.monotonic()
        return found

    def load(self, asked: CheckedRequest) -> Loaded:
        """Loads it, making a place.

        Raises:
            Invalid: the files do not fit together. Unavailable: it needs more memory than is free.
        """
        began = time.monotonic()
        self._drop(len(self._places) - PLACES + 1)
        device = self._device(asked)
        plan = plan_of(asked, device)
        family = resolve(plan.base)
        torch.manual_seed(0)  # a fresh head guesses the same each time
        model = family.load(plan)
        if asked.adapter is not None:
            model = _with_adapter(model, asked.adapter.folder)
        model.eval()
        now = time.monotonic()
        self._places[_key(asked)] = made = Loaded(plan, family, model, 1000 * (now - began), now)
        return made

    def free_memory(self) -> None:
        """A training begins: nothing stays on a GPU, nor anywhere when half of the memory is in use."""
        scarce = psutil.virtual_memory().percent > 50
        for key, loaded in list(self._places.items()):
            if scarce or loaded.plan.device != "cpu":
                del self._places[key]
        _tidy_up()

    def _device(self, asked: CheckedRequest) -> str:
        """The GPU where no training holds it and the model fits, else the CPU where it fits."""
        need = int(asked.model_bytes * _PEAK) + _SPARE_BYTES
        if torch.cuda.is_available() and not self._training():
            if torch.cuda.mem_get_info()[0] < need:
                self._drop(PLACES)
            if torch.cuda.mem_get_info()[0] >= need:
                return "cuda:0"
        if psutil.virtual_memory().available < need:
            self._drop(PLACES)
        if psutil.virtual_memory().available < need:
            free = psutil.virtual_memory().available
            raise Unavailable(
                f"{asked.model_name} needs about {need / 1e9:.1f} GB of memory and the worker's machine has "
                f"{free / 1e9:.1f} GB free. Wait until a training is over, or use a smaller model."
            )
        return "cpu"

    def _training(self) -> bool:
        mine = (col(TrainingJob.status).in_(ON_WORKER), col(TrainingJob.worker) == self._worker)
        with session_scope() as session:
            return session.exec(select(TrainingJob.id).where(*mine).limit(1)).first() is not None

    def _drop(self, count: int) -> None:
        for key in sorted(self._places, key=lambda key: self._places[key].used_at)[: max(0, count)]:
            del self._places[key]
        if count > 0:
            _tidy_up()


def plan_of(asked: CheckedRequest, device: str) -> Plan:
    """What the family must know to load the model as it was trained.

    Raises:
        Invalid: a classifier without an adapter has no classes of its own.
    """
    base = read_base(asked.model_path)
    adapter = asked.adapter
    recipe = parse_recipe(adapter.recipe) if adapter else Recipe()
    classifies = task_spec(asked.task).answer is AnswerKind.CLASSES
    names = class_names(base.config, adapter.folder if adapter else None) if classifies else ()
    folder = adapter.folder if adapter else None
    return Plan(base, recipe, asked.task, names, device=device, inference_only=True, adapter=folder)


def class_names(config: dict[str, Any], folder: Path | None) -> tuple[str, ...]:
    """Those of the adapter, else those that the base came with."""
    if folder is not None:
        config = read_base(folder).config
    named = {int(index): str(name) for index, name in (config.get("id2label") or {}).items()}
    names = tuple(named[index] for index in sorted(named))
    if not names or all(name == f"LABEL_{index}" for index, name in enumerate(names)):
        raise Invalid("This base has no classes of its own. Choose an adapter that was made from it.", "adapter_id")
    return names


def _with_adapter(model: Any, folder: Path) -> Any:
    from peft import PeftModel

    # peft would fall back to a pickle.
    if not (folder / "adapter_model.safetensors").is_file():
        raise Invalid("This adapter has no safetensors file. Train it again.", "adapter_id")
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Invalid(f"The adapter does not fit its base: {first[:200]}", "adapter_id") from error


def _key(asked: CheckedRequest) -> tuple[str, ...]:
    """Changes with the files: an adapter that was trained further is another one."""
    adapter = asked.adapter.folder / "adapter_model.safetensors" if asked.adapter else None
    when = str(adapter.stat().st_mtime_ns) if adapter and adapter.exists() else ""
    return (asked.task, str(asked.model_path), asked.model_revision, str(adapter or ""), when)


def _tidy_up() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
