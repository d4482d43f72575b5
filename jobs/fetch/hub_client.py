"""TODO."""

import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

from jobs.fetch.patience import Patience
from jobs.fetch.report import EVERY_S, Problem, Progress, say


def files_on_hub(
    source: dict[str, Any], secrets: dict[str, Any], patience: Patience | None = None
) -> tuple[str, dict[str, int]]:
    """The commit that a revision means now, and the sizes of all files in it.

    Raises:
        Problem: a sentence.
    """
    info = repo_info(source, secrets, patience)
    return info.sha, {item.rfilename: item.size or 0 for item in info.siblings or []}


def repo_info(source: dict[str, Any], secrets: dict[str, Any], patience: Patience | None = None) -> Any:
    """What the Hub says of a model or dataset at a revision: its `sha`, its `siblings` with size and `blob_id`.

    Args:
        patience: with what breaks meanwhile; without it the Hub is asked once.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    kind, repo, revision = source.get("kind") or "model", source["repo"], source.get("revision") or ""
    api = HfApi(token=secrets.get("token") or False)
    asked = partial(api.repo_info, repo, revision=revision or None, repo_type=kind, files_metadata=True)
    try:
        return patience.ask(asked) if patience else asked()
    except HfHubHTTPError as error:
        raise Problem(words_of(error, repo, revision, kind)) from error


class DownloadMonitor:
    """Counts what has arrived by looking at the folder: the Hub's library tells nobody else."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder, self._progress = folder, progress
        self._over, self._problem = threading.Event(), None

    def __enter__(self) -> "DownloadMonitor":
        threading.Thread(target=self._loop, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def check(self) -> None:
        """Raises what the counting thread has found wrong."""
        if self._problem:
            raise self._problem

    def _loop(self) -> None:
        while not self._over.wait(EVERY_S):
            arrived = sum(_size(path) for path in self._folder.rglob("*"))
            try:
                self._progress.add(max(0, arrived - self._progress.done))
            except Problem as problem:
                self._problem = problem
                say(problem=str(problem))
                os._exit(1)  # the main thread waits in a library for bytes that do not come


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def words_of(error: Exception, repo: str, revision: str, what: str) -> str:
    """The Hub's refusal in a sentence; `what`: model or dataset."""
    kind = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if kind == "GatedRepoError" or status == 403:
        return f"{repo} is gated: accept its terms on its page there, then choose a Hub token here and try again."
    if kind == "RevisionNotFoundError":
        return f"{repo} has no revision {revision}. Leave it empty for the newest."
    if kind == "RepositoryNotFoundError" or status in (401, 404):
        return (
            f"There is no {what} {repo} on the Hub, or it is private. Check the id, or give a token that may read it."
        )
    if status == 429:
        return "The Hub asks to slow down. Try again in some minutes."
    return f"The Hub answered with an error ({status or kind}). Try again later."
