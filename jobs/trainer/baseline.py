"""The metrics of the untouched base on the validation set, measured once before the first step and stored."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.families.protocol import Family, Plan
from jobs.trainer.distributed import is_main_process, preserve_rng
from jobs.trainer.hf_trainer import VideoTrainer
from jobs.trainer.results import QuestionKey
from orchestrator.domain.job_files import BASELINE


@dataclass(frozen=True, slots=True)
class Baseline:
    """`values`: the same metrics as the run's; `before`: the base's answers, by `Prediction.key`."""

    values: dict[str, float] = field(default_factory=dict)
    before: dict[QuestionKey, str] = field(default_factory=dict)


def load_or_measure_baseline(
    folder: Path, family: Family, plan: Plan, trainer: VideoTrainer, validation: Any
) -> Baseline:
    """Reads it, computes the chance level, or measures it; a resumed run must not measure a trained model."""
    if not len(validation):
        return Baseline()
    chance = family.chance_level(plan, len(validation))
    if chance is not None:
        return Baseline(chance)
    if not plan.recipe.eval.baseline:
        return Baseline()
    known = _read(folder / BASELINE)
    if known is not None:
        return known
    # New adapters change nothing, so this measures the base; with an adapter that is continued, the run's beginning.
    with preserve_rng():
        trainer.final = True
        trainer.predict(validation, metric_key_prefix="eval")
        trainer.final = False
    answered = [row for row in trainer.score.clips if row.predicted is not None]
    before: dict[QuestionKey, str] = {row.key: str(row.predicted) for row in answered if row.clip_id is not None}
    measured = Baseline(dict(trainer.score.values), before)
    if not is_main_process():
        return measured
    part = folder / f".{BASELINE}.part"
    part.write_text(
        json.dumps({"values": measured.values, "before": {_key(key): answer for key, answer in before.items()}})
    )
    os.replace(part, folder / BASELINE)
    return measured


def _read(path: Path) -> Baseline | None:
    try:
        raw = json.loads(path.read_text())
        return Baseline(dict(raw["values"]), {_read_key(key): str(answer) for key, answer in raw["before"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _key(key: QuestionKey) -> str:
    """The key of a JSON object: "7" for the first question about clip 7, "7/2" for its third."""
    clip_id, number = key
    return f"{clip_id}/{number}" if number else str(clip_id)


def _read_key(text: str) -> QuestionKey:
    clip_id, _, number = text.partition("/")
    return int(clip_id), int(number or 0)
