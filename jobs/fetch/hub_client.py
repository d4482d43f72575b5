"""What fetching models and datasets from the Hugging Face Hub shares: repository infos, progress, refusals in words."""

import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

from jobs.fetch.report import REPORT_EVERY_S, Problem, Progress, send_message
from jobs.fetch.retry import Retry


def files_on_hub(
    source: dict[str, Any], secrets: dict[str, Any], retry: Retry | None = None
) -> tuple[str, dict[str, int]]:
    """The commit that a revision means now, and the sizes in bytes of all files in it.

    Raises:
        Problem: a sentence.
    """
    info = repo_info(source, secrets, retry)
    return info.sha, {item.rfilename: item.size or 0 for item in info.siblings or []}


def repo_info(source: dict[str, Any], secrets: dict[str, Any], retry: Retry | None = None) -> Any:
    """The Hub's information about a repository at a revision: `sha`, and `siblings` with size and `blob_id`.

    Args:
        source: kind (model or dataset), repo, and revision ("" for the newest).
        secrets: token, for gated and private repositories.
        retry: for interrupted connections; None: the Hub is asked once.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    kind, repo, revision = source.get("kind") or "model", source["repo"], source.get("revision") or ""
    api = HfApi(token=secrets.get("token") or False)
    question = partial(api.repo_info, repo, revision=revision or None, repo_type=kind, files_metadata=True)
    try:
        return retry.call(question) if retry else question()
    except HfHubHTTPError as error:
        raise Problem(hub_problem(error, repo, revision, kind)) from error


class DownloadMonitor:
    """Reports the progress of a download by the size of its folder, since the Hub's library does not report any."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder, self._progress = folder, progress
        self._done, self._problem = threading.Event(), None

    def __enter__(self) -> "DownloadMonitor":
        threading.Thread(target=self._loop, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def check(self) -> None:
        """Raises the exception that the thread has recorded, if any."""
        if self._problem:
            raise self._problem

    def _loop(self) -> None:
        while not self._done.wait(REPORT_EVERY_S):
            arrived = sum(_size(path) for path in self._folder.rglob("*"))
            try:
                self._progress.add(max(0, arrived - self._progress.done))
            except Problem as problem:
                self._problem = problem
                send_message(problem=str(problem))
                os._exit(1)  # the main thread waits in a library for bytes that do not come


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def hub_problem(error: Exception, repo: str, revision: str, kind: str) -> str:
    """The sentence for a refusal of the Hub; `kind`: model or dataset."""
    name = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if name == "GatedRepoError" or status == 403:
        return f"{repo} is gated: accept its terms on its page there, then choose a Hub token here and try again."
    if name == "RevisionNotFoundError":
        return f"{repo} has no revision {revision}. Leave it empty for the newest."
    if name == "RepositoryNotFoundError" or status in (401, 404):
        return (
            f"There is no {kind} {repo} on the Hub, or it is private. Check the id, or give a token that may read it."
        )
    if status == 429:
        return "The Hub asks to slow down. Try again in some minutes."
    return f"The Hub answered with an error ({status or name}). Try again later."
