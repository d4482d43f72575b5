"""The clips of a run: through the frame cache, or as cached features where the vision encoder is frozen."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from jobs.families.augment import ClipAugmenter
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
from jobs.video.cache import ClipSampling, FrameCache, Sampling
from jobs.video.cache_eviction import CacheBudget
from jobs.video.lookahead import DecodeAhead
from jobs.video.prefetch import FramePrefetcher
from orchestrator.domain.live_records import Stage
from orchestrator.domain.recipe_augment import JITTER_PARTS

_PROGRESS_S = 5.0
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class RunData:
    """The clips of both splits."""

    training: ClipDataset
    validation: ClipDataset
    ahead: FramePrefetcher
    """Fills the frame cache in threads during the run, where no loader processes decode."""

    @contextmanager
    def background(self) -> Iterator[None]:
        """The threads of the run: started at the first use, ended with this context."""
        with ExitStack() as stack:
            contexts = (self.ahead, self.training.ahead, self.validation.ahead, self.training.kept)
            for context in dict.fromkeys(context for context in contexts if context is not None):
                stack.enter_context(context)
            yield


def load_data(
    spec: TrainSpec, plan: Plan, family: Family, model: Any, splits: Split, recorder: Recorder, stop: StopSignal
) -> RunData:
    """Both splits over the caches that all runs share.

    Raises:
        BadClip: a clip cannot be decoded.
    """
    root = Path(spec.cache_dir or spec.folder)
    budget = CacheBudget(spec.cache_bytes, root / "frames", root / "features")
    sampling, views, recipe = family.sampling(plan.base, plan.recipe), plan.recipe.eval.views, plan.recipe
    parts = JITTER_PARTS if recipe.augment.jitter else 1
    frames = FrameCache(root / "frames", _with_views(sampling, parts), budget=budget)
    judged = frames if views == parts else FrameCache(root / "frames", _with_views(sampling, views), budget=budget)
    augmenter = ClipAugmenter(recipe.augment, moves_together=recipe.data.fps is not None)
    training = ClipDataset(
        splits.train,
        spec.class_names,
        frames,
        training=True,
        augmenter=augmenter if augmenter.is_active else None,
        seed=recipe.optim.seed,
    )
    validation = ClipDataset(splits.validation, spec.class_names, judged, training=False)
    vision_encoder = family.vision_encoder(plan, model)
    # Loader processes decode by themselves, and a process with threads must not be forked.
    threads = 0
    if vision_encoder is not None or device_settings.loader_workers(plan.device, spec.decode_threads) == 0:
        threads = device_settings.decode_threads(spec.decode_threads)
        training.ahead = validation.ahead = DecodeAhead(frames, threads)
        if judged is not frames:
            validation.ahead = DecodeAhead(judged, threads)
    if vision_encoder is not None:
        stop.stage = Stage.FEATURES
        encoding = encoding_threads(model, plan.device)
        features = FeatureCache(root / "features", vision_encoder, frames, budget, training.ahead, encoding)
        share = features.prepare(lambda: chain(training.files(), validation.files()), world_size())
        stop.check()
        if share is not None:
            recorder.note(share.sentence(), "cache")
        training.kept = validation.kept = features
    prefetching = max(0, torch.get_num_threads() - 1) if threads and vision_encoder is None else 0
    # Each rank decodes its share.
    together = chain(training.files(), validation.files()) if judged is frames else training.files()
    count = len(training) + (len(validation) if judged is frames else 0)
    total = len(range(rank(), count, world_size())) if prefetching else 0
    ahead = FramePrefetcher(frames, islice(together, rank(), None, world_size()), total, prefetching)
    return RunData(training, validation, ahead)


def _with_views(sampling: ClipSampling, views: int) -> ClipSampling:
    """The same at so many places of a clip; a base whose processor chooses the frames has one view."""
    return dataclasses.replace(sampling, views=views) if isinstance(sampling, Sampling) else sampling


class PrefetchProgress(TrainerCallback):
    """Reports the progress of the frame cache between steps, and ends the run at a clip that cannot be decoded."""

    def __init__(self, ahead: FramePrefetcher, recorder: Recorder) -> None:
        self._ahead, self._progress = ahead, _ProgressReporter(recorder)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._ahead.problem:
            raise self._ahead.problem
        if self._ahead.done < self._ahead.total:
            self._progress.log(self._ahead.done, self._ahead.total)


class _ProgressReporter:
    """Reports progress every `_PROGRESS_S` seconds."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._reported_at = recorder, time.monotonic()

    def log(self, done: int, total: int) -> None:
        """Writes a line, unless the last one was written a moment ago."""
        if time.monotonic() - self._reported_at < _PROGRESS_S:
            return
        self._reported_at = time.monotonic()
        self._recorder.log(f"Frame cache: {done} of {total} clips.")
