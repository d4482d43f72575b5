"""What a process uses its database engine for, which decides how long it waits and how many connections it keeps."""

from enum import Enum, auto


class Purpose(Enum):
    """Of one engine."""

    BACKGROUND = auto()
    """Controller and workers."""
    WEB = auto()
    """The web process."""
    MIGRATION = auto()
    """Changes of the schema, which may take long."""
