"""The size of the validation split: one rule for the job form, which counts clips, and the trainer, that draws them."""


def validation_count(count: int, share: float) -> int:
    """How many clips of one class go to validation: rounded, at least one, never all of them.

    Args:
        count: the clips of the class; of a single one none goes to validation.
        share: the share for validation, between 0 and 1.
    """
    return max(1, min(count - 1, round(count * share))) if count > 1 else 0
