"""Why a training job failed, as one word that the database keeps: nothing is read out of the sentence people see."""

from enum import StrEnum


class FailureKind(StrEnum):
    """Set where the failure is known; `TrainingJob.error` has the sentence for it."""

    OUT_OF_MEMORY = "out_of_memory"
    """The memory ran out while it trained; a smaller batch may fit."""
    NOTHING_LEFT_TO_DIVIDE = "nothing_left_to_divide"
    """The memory ran out even with one clip at a time: a smaller batch cannot help."""
    OUT_OF_MEMORY_AT_START = "out_of_memory_at_start"
    """The memory ran out before the first step: the batch has no part in it."""
    DISK_FULL = "disk_full"
    DIVERGED = "diverged"
    """The loss became NaN or infinite."""
    UNREADABLE_CLIP = "unreadable_clip"
    """A clip of the dataset cannot be decoded."""
    INPUTS_GONE = "inputs_gone"
    """The dataset or the base model was deleted before the job started."""
    OLDER_LIBRARIES = "older_libraries"
    """Its checkpoint was written by newer libraries than those of the worker that should resume it."""
    NOT_TRAINABLE = "not_trainable"
    """Recipe, clips and base model do not fit together."""
    MACHINE_LOST = "machine_lost"
    """Its machine was taken from it again and again without a new checkpoint in between."""
    CRASH = "crash"
    """The trainer broke off for a reason that none of the other words names."""
