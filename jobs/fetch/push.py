"""Sends a folder to the Hugging Face Hub as one commit, and says how far it is."""

import io
import re
import threading
from pathlib import Path
from typing import Any

from jobs.fetch.report import EVERY_S, Problem, Progress, say

_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def push_hub(source: dict[str, Any], secrets: dict[str, Any], progress: Progress) -> list[tuple[Path, str]]:
    """Makes the repository if it is not there, commits every file, and tells the address as `url`.

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
    progress.tell()
    api = HfApi(token=secrets["token"])
    over = threading.Event()
    threading.Thread(target=_beat, args=(progress, over), daemon=True).start()
    try:
        api.create_repo(repo, private=source["private"], exist_ok=True)
        if source["private"] and not api.repo_info(repo).private:
            raise Problem(f"{repo} is there already and is public. Choose another name, or push it as public.")
        counted = [_Counted(_opened(folder / name, source["base_model"]), progress) for name in names]
        files = [CommitOperationAdd(name, file) for name, file in zip(names, counted, strict=True)]
        for file in counted:
            file.counts = True  # until here they were only hashed
        done = api.create_commit(repo, files, commit_message=source["message"])
        say(url=f"{api.endpoint}/{repo}", commit=done.oid)
    except HfHubHTTPError as error:
        raise Problem(_words(error, repo)) from error
    finally:
        over.set()
    return []


def hub_card(text: str, base_model: str) -> str:
    """The card with metadata that the Hub takes: it refuses a commit whose base or dataset is no id of its own.

    The names that people know them by stay in the card's text.

    Args:
        base_model: the base's id on the Hub, or "".
    """
    import yaml

    _, head, body = text.split("---\n", 2) if text.startswith("---\n") and text.count("---\n") > 1 else ("", "", text)
    facts = yaml.safe_load(head) or {} if head else {}
    facts["base_model"] = base_model
    facts["datasets"] = [name for name in facts.get("datasets") or [] if _ID.fullmatch(str(name))]
    kept = {key: value for key, value in facts.items() if value}
    return f"---\n{yaml.safe_dump(kept, sort_keys=False)}---\n{body}" if kept else body


def _opened(path: Path, base_model: str) -> Any:
    if path.name != "README.md":
        return io.FileIO(path, "rb")
    return io.BytesIO(hub_card(path.read_text(errors="replace"), base_model).encode())


class _Counted(io.BufferedReader):
    """A file that counts what is read of it, each byte once."""

    def __init__(self, raw: Any, progress: Progress) -> None:
        super().__init__(raw)
        self._progress, self._most, self.counts = progress, 0, False

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(-1 if size is None else size)
        if self.counts and (here := self.tell()) > self._most:
            self._progress.done += here - self._most
            self._most = here
        return block


def _beat(progress: Progress, over: threading.Event) -> None:
    """A large file is sent inside a library that tells nobody; silence would look like a broken line."""
    while not over.wait(EVERY_S):
        progress.tell()


def _words(error: Exception, repo: str) -> str:
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
