"""The names of a job's files. Each attempt has a folder of its own: no two attempts ever write the same file.

data/jobs/{id}/a{attempt}/
    spec.json           the settings of the attempt, written for the trainer
    clips.jsonl         the clips of the attempt, a line each: a link to the file that all runs share
    metrics.jsonl       its records, those of earlier attempts first
    log.jsonl           what it printed, likewise
    telemetry.jsonl     processor and memory, likewise
    baseline.json       what the untouched base does with the validation set
    easing.json         a smaller batch, after the memory ran out
    checkpoints/checkpoint-{step}/
        best.json       the best evaluation up to this step
    adapter/ or model/  the result
    result.json         how the attempt ended
    tensorboard/

Version 0.1 wrote the same files into data/jobs/{id} itself: that folder is read as attempt 0.
"""

SPEC = "spec.json"
CLIPS = "clips.jsonl"
"""The manifest of the clips that it names."""
METRICS = "metrics.jsonl"
LOG = "log.jsonl"
TELEMETRY = "telemetry.jsonl"
BASELINE = "baseline.json"
MEMORY_SETTINGS = "easing.json"
CHECKPOINTS = "checkpoints"
CHECKPOINT_PREFIX = "checkpoint-"
MANIFEST = "whole.json"
"""In a complete checkpoint: the size and the sum of each of its files."""
BEST_EVALUATION = "best.json"
"""In a checkpoint: the best evaluation so far (`BestEvaluation`); not in the manifest, since it changes later."""
RESULT = "result.json"
TENSORBOARD = "tensorboard"

APPENDED = (METRICS, LOG, TELEMETRY)
"""Files to which lines are appended. An attempt begins with a copy of those of the one before it."""

CARRIED_OVER = (BASELINE, MEMORY_SETTINGS)
"""Small files, replaced as a whole, that a later attempt goes on with."""

ATTEMPT_PREFIX = "a"


def attempt_name(attempt: int) -> str:
    """The folder of an attempt inside its job's folder."""
    return f"{ATTEMPT_PREFIX}{attempt}"
