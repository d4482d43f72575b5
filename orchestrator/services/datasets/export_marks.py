"""Names in exported files by which an import reads the annotations as they were."""

from enum import StrEnum

KIND = "kind"
"""Key of a conversation's row: its `ExportedKind`."""
CONVERSATIONS = "conversations_json"
"""Column of conversations that the other columns of a table cannot hold."""


class ExportedKind(StrEnum):
    """What the conversation of an exported row was made of."""

    LABEL = "label"
    CAPTION = "caption"
    CONVERSATION = "conversation"
