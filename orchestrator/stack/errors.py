"""The exception with which a start is refused: a sentence for the terminal."""


class StackError(Exception):
    """Loreel cannot start; the message says what is wrong and what to do."""
