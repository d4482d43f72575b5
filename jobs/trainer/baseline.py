"""What the untouched base does with the held-out clips, measured once before the first step and kept with the job."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.families.protocol import Family, Plan
from jobs.trainer.distributed import is_main_process, preserve_rng
from jobs.trainer.hf_trainer import VideoTrainer
from orchestrator.domain.job_files import BASELINE


@dataclass(frozen=True, slots=True)
class Baseline:
    """`values`: the same measures as the run's; `before`: what the base said, by the clip's id."""

    values: dict[str, float] = field(default_factory=dict)
    before: dict[int, str] = field(default_factory=dict)


def load_or_measure_baseline(folder: Path, family: Family, plan: Plan, trainer: VideoTrainer, held: Any) -> Baseline:
    """Reads, guesses or measures it; a resumed run must not measure a model that has learned already."""
    if not len(held):
        return Baseline()
    guessed = family.chance_level(plan, len(held))
    if guessed is not None:
        return Baseline(guessed)
    known = _read(folder / BASELINE)
    if known is not None:
        return known
    # The adapters add nothing yet, so this is the base; chance is left as it was.
    with preserve_rng():
        trainer.final = True
        trainer.predict(held, metric_key_prefix="eval")
        trainer.final = False
    told = [row for row in trainer.score.clips if row.predicted is not None]
    before = {row.clip_id: str(row.predicted) for row in told if row.clip_id is not None}
    found = Baseline(dict(trainer.score.values), before)
    if not is_main_process():
        return found
    part = folder / f".{BASELINE}.part"
    part.write_text(json.dumps({"values": found.values, "before": found.before}))
    os.replace(part, folder / BASELINE)
    return found


def _read(path: Path) -> Baseline | None:
    try:
        raw = json.loads(path.read_text())
        return Baseline(dict(raw["values"]), {int(clip): str(said) for clip, said in raw["before"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
