"""The one way a start can be refused: a sentence for the person at the terminal."""


class StackError(Exception):
    """Starting cannot go on; the message says what is wrong and what to do."""
