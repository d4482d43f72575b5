"""The clips of a run: through the frame cache, or as cached features where the vision encoder is frozen."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from jobs.families.protocol import Family, Plan
from jobs.runs.spec import TrainSpec
from jobs.sinks.recorder import Recorder
from jobs.trainer import device_settings
from jobs.trainer.clips import ClipDataset
from jobs.trainer.distributed import rank, world_size
from jobs.trainer.features import FeatureCache
from jobs.trainer.split import Split
from jobs.trainer.stopping import StopSignal
from jobs.trainer.threads import encoding_threads
from jobs.video.cache import FrameCache
from jobs.video.cache_eviction import CacheBudget
from jobs.video.prefetch import FramePrefetcher
from orchestrator.domain.live_records import Stage

_PROGRESS_S = 5.0
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class RunData:
    """The clips of both splits."""

    training: ClipDataset
    validation: ClipDataset
    ahead: FramePrefetcher
    """Decodes them in threads during the run, where no loader processes do."""


def load_data(
    spec: TrainSpec, plan: Plan, family: Family, model: Any, splits: Split, recorder: Recorder, stop: StopSignal
) -> RunData:
    """Both splits over the caches that all runs share.

    Raises:
        BadClip: a clip cannot be decoded.
        StopRequested: the run was asked to stop while features were computed.
    """
    root = Path(spec.cache_dir or spec.folder)
    budget = CacheBudget(spec.cache_bytes, root / "frames", root / "features")
    frames = FrameCache(root / "frames", family.sampling(plan.base, plan.recipe), budget=budget)
    training = ClipDataset(splits.train, spec.class_names, frames, training=True)
    validation = ClipDataset(splits.validation, spec.class_names, frames, training=False)
    vision_encoder = family.vision_encoder(plan, model)
    if vision_encoder is not None:
        features = FeatureCache(root / "features", vision_encoder, frames, budget)
        # Each rank encodes its share; a clip that is still missing is encoded when a batch needs it.
        files = [*training.files, *validation.files][rank() :: world_size()]
        stop.stage = Stage.FEATURES
        with encoding_threads(model, plan.device) as threads:
            features.fill(files, _ProgressReporter(recorder), stop.asked, threads)
        stop.check()
        _note_cache_use(features, len(files), recorder)
        if not features.full:
            training.kept = validation.kept = features
    # Loader processes decode by themselves, and a process with threads must not be forked.
    idle = training.kept is None and device_settings.loader_workers(plan.device) == 0
    shares = [*training.files, *validation.files][rank() :: world_size()]
    return RunData(
        training, validation, FramePrefetcher(frames, shares, max(0, torch.get_num_threads() - 1) if idle else 0)
    )


class PrefetchProgress(TrainerCallback):
    """Reports the progress of the frame cache between steps, and ends the run at a clip that cannot be decoded."""

    def __init__(self, ahead: FramePrefetcher, recorder: Recorder) -> None:
        self._ahead, self._progress = ahead, _ProgressReporter(recorder, "Frame cache")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._ahead.problem:
            raise self._ahead.problem
        if self._ahead.done < self._ahead.total:
            self._progress.log(self._ahead.done, self._ahead.total)


class _ProgressReporter:
    """Reports progress every `_PROGRESS_S` seconds."""

    def __init__(self, recorder: Recorder, what: str = "Vision features") -> None:
        self._recorder, self._what, self._reported_at = recorder, what, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Before the first step."""
        if line := self.log(done, total):
            self._recorder.progress(0, 0, 0.0, line)

    def log(self, done: int, total: int) -> str:
        """Writes a line and returns it; "" where the last one was written a moment ago."""
        if time.monotonic() - self._reported_at < _PROGRESS_S:
            return ""
        self._reported_at = time.monotonic()
        line = f"{self._what}: {done} of {total} clips."
        self._recorder.log(line)
        return line


def _note_cache_use(features: FeatureCache, total: int, recorder: Recorder) -> None:
    if features.full:
        recorder.note("The vision features do not fit into the cache, so the frames are encoded at each step.", "cache")
    elif features.encoded + features.found == total:
        recorder.note(
            f"Vision features from the cache: the frozen vision tower encoded each clip once "
            f"({features.found} of {total} in an earlier run).",
            "cache",
        )
