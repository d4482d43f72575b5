"""How many clips of a class are held out: one rule for the wizard that counts them and the trainer that picks them."""


def held_out(count: int, share: float) -> int:
    """How many of `count` clips of one class go to validation: rounded, at least one, never all."""
    return max(1, min(count - 1, round(count * share))) if count > 1 else 0
