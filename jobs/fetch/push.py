"""Uploads a folder to the Hugging Face Hub as one commit, and reports the progress."""

import io
import threading
from pathlib import Path
from typing import Any

from jobs.fetch.report import REPORT_EVERY_S, Problem, Progress, send_message
from orchestrator.domain.hub_ids import HUB_ID


def push_hub(source: dict[str, Any], secrets: dict[str, Any], progress: Progress) -> list[tuple[Path, str]]:
    """Creates the repository if it does not exist, commits every file, and reports its address as `url`.

    Args:
        source: repo, private, files (the folder), message, base_model (its id on the Hub, or "").
        secrets: token.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    repo, folder = source["repo"], Path(source["files"])
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    progress.total = sum((folder / name).stat().st_size for name in names)
    progress.report()
    api = HfApi(token=secrets["token"])
    done = threading.Event()
    threading.Thread(target=_report_until, args=(progress, done), daemon=True).start()
    try:
        api.create_repo(repo, private=source["private"], exist_ok=True)
        if source["private"] and not api.repo_info(repo).private:
            raise Problem(f"{repo} is there already and is public. Choose another name, or push it as public.")
        readers = [_CountingReader(_open(folder / name, source["base_model"]), progress) for name in names]
        files = [CommitOperationAdd(name, file) for name, file in zip(names, readers, strict=True)]
        for reader in readers:
            reader.counts = True  # before this they are only read to compute hashes
        commit = api.create_commit(repo, files, commit_message=source["message"])
        send_message(url=f"{api.endpoint}/{repo}", commit=commit.oid)
    except HfHubHTTPError as error:
        raise Problem(_push_problem(error, repo)) from error
    finally:
        done.set()
    return []


def hub_card(text: str, base_model: str) -> str:
    """The model card with metadata that the Hub accepts: it refuses a base or dataset that is not an id of the Hub.

    Their names stay in the card's text.

    Args:
        base_model: the base's id on the Hub, or "".
    """
    import yaml

    _, head, body = text.split("---\n", 2) if text.startswith("---\n") and text.count("---\n") > 1 else ("", "", text)
    metadata = yaml.safe_load(head) or {} if head else {}
    metadata["base_model"] = base_model
    metadata["datasets"] = [name for name in metadata.get("datasets") or [] if HUB_ID.fullmatch(str(name))]
    kept = {key: value for key, value in metadata.items() if value}
    return f"---\n{yaml.safe_dump(kept, sort_keys=False)}---\n{body}" if kept else body


def _open(path: Path, base_model: str) -> Any:
    if path.name != "README.md":
        return io.FileIO(path, "rb")
    return io.BytesIO(hub_card(path.read_text(errors="replace"), base_model).encode())


class _CountingReader(io.BufferedReader):
    """A file that counts the bytes read from it, each once."""

    def __init__(self, raw: Any, progress: Progress) -> None:
        super().__init__(raw)
        self._progress, self._counted, self.counts = progress, 0, False

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(-1 if size is None else size)
        if self.counts and (position := self.tell()) > self._counted:
            self._progress.done += position - self._counted
            self._counted = position
        return block


def _report_until(progress: Progress, done: threading.Event) -> None:
    """Reports while the library uploads a large file, which it does in silence."""
    while not done.wait(REPORT_EVERY_S):
        progress.report()


def _push_problem(error: Exception, repo: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    owner = repo.partition("/")[0]
    if status == 401:
        return "The Hub does not accept this token. Make one that may write under Settings, Access Tokens on the Hub."
    if status == 403:
        return f"This token may not write to {repo}. Use one with write rights, or a name under your own account."
    if status == 409:
        return f"The name {repo} is taken. Choose another one."
    if status == 404:
        return f"There is no account or organization {owner} that this token can write to. Check the name before the /."
    if status == 413:
        return "The Hub says that a file is too large for it."
    if status == 429:
        return "The Hub asks to slow down. Try again in some minutes."
    return f"The Hub answered with an error ({status or type(error).__name__}). Try again later."
