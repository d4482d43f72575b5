"""What a resume restores, and how a run goes on from a checkpoint.

An attempt above 1 resumes; so does a run that ran out of memory and starts again in the same process, and one that
waited for Redis and the database, in a new process (`jobs/runs/attempt.py`).
`tests/unit/jobs/trainer/test_resume.py` kills a run at a random step and compares every loss with an uninterrupted run.

- Which checkpoint: the complete one with the most steps, of this or an earlier attempt (`latest_complete_checkpoint` in
  `jobs/trainer/checkpoints.py`; `orchestrator/services/attempts/checkpoints.py` lists those of earlier attempts).
  Without one the run starts at step 0.
- Weights, optimizer, learning-rate schedule, step and epoch, and the RNG states of each process: the HF Trainer, by
  `resume_from_checkpoint`. It also skips the batches of the epoch that were trained already; their order follows from
  `data_seed` (`jobs/trainer/hf_trainer.py`), or from seed and epoch where clips are grouped by length
  (`jobs/trainer/length_groups.py`).
- The clips: those of the dataset version of the launch (`jobs/runs/spec_writer.py`), divided by the same seed into
  training and validation set (`jobs/trainer/split.py`).
- Augmentation and choice of a conversation: a generator per batch, seeded by epoch and clips (`generator_for` in
  `jobs/families/pixels.py`). The epoch comes from `SetEpoch` in `jobs/trainer/callbacks.py`, also in the middle of one.
- The best evaluation so far, and how many since it were no better: `best.json` in each checkpoint
  (`write_best_evaluation` in `jobs/trainer/checkpoints.py`). Its checkpoint is kept as long as one that names it.
- Workers of the data loader: started for each epoch, so that they know which one it is
  (`jobs/trainer/device_settings.py`).
- RNG in evaluation: an evaluation does not advance it (`preserve_rng` in `jobs/trainer/distributed.py`), so that losses
  do not depend on whether a checkpoint was written before or after one.
- Micro-batch and gradient checkpointing after an out-of-memory: `easing.json` (`load_settings` in
  `jobs/trainer/oom_recovery.py`). The clips of a step stay the same, and so does its loss
  (`jobs/trainer/loss_weighting.py`).
- Matmul library and number of threads: chosen by processor, shapes and batch, never by a clock
  (`jobs/trainer/cpu_matmul.py`, `jobs/trainer/threads.py`).
- Baseline: `baseline.json`, measured before the first step only (`jobs/trainer/baseline.py`).
- Metrics: `seq` continues (`last_seq` in `jobs/sinks/jsonl.py`); of a step that is trained twice the later value counts
  (`jobs/sinks/tensorboard.py`, `orchestrator/services/metrics/ingest.py`).
- Log and curves of the device: an attempt continues those before it (`orchestrator/services/attempts/folders.py`,
  `jobs/telemetry/sampler.py`).
- Summary: it stays in the job's row; the history of each sample's predictions drops what is evaluated again
  (`with_prediction_history` in `orchestrator/services/metrics/ingest.py`).
- Count of lost workers, which ends a job that makes no progress: `_losses` in
  `orchestrator/services/training/lifecycle.py`; a new checkpoint sets it to zero.
- Not restored, since nothing depends on it: the caches of frames and vision features, found by the clips' content.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from jobs.sinks.recorder import Recorder
from jobs.trainer.checkpoints import latest_complete_checkpoint
from jobs.trainer.hf_trainer import VideoTrainer, has_all_steps
from jobs.trainer.stopping import StopRequested
from orchestrator.domain.job_files import CHECKPOINTS


def checkpoint_to_resume(folder: Path, earlier: Iterable[str]) -> Path | None:
    """The checkpoint that a resumed run goes on from; None where no complete one is left.

    Args:
        folder: the attempt's folder.
        earlier: checkpoints of earlier attempts, tried after the attempt's own.
    """
    return latest_complete_checkpoint(folder / CHECKPOINTS, map(Path, earlier))


def train_remaining_steps(trainer: VideoTrainer, checkpoint: Path | None, recorder: Recorder) -> None:
    """Trains the steps after the checkpoint, or all; returns early when the run was asked to stop."""
    with contextlib.suppress(StopRequested):  # raised by an evaluation, whose checkpoint was saved before
        if checkpoint is None:
            trainer.train()
        elif has_all_steps(checkpoint):
            recorder.log(f"All steps are trained: evaluating {checkpoint.name}.")
            trainer.restore(checkpoint)
        elif trainer.has_ended_early(checkpoint):
            recorder.log(f"The patience was over at {checkpoint.name}.")
        else:
            recorder.log(f"Going on from {checkpoint.name}.")
            trainer.resume_from(checkpoint)
            trainer.train(resume_from_checkpoint=str(checkpoint))
