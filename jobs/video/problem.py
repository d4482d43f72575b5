"""What is wrong with a video file, as one sentence that names it."""

from orchestrator.domain.errors import Invalid


class BadClip(Invalid):
    """A clip that cannot be used: not a video, truncated, empty or too large.

    Attributes:
        clip: the file's name, without its folder.
    """

    def __init__(self, clip: str, what: str) -> None:
        super().__init__(f"{clip} {what}")
        self.clip = clip
