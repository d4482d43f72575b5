"""Fetches a base model from the Hugging Face Hub: its safetensors, configs, processor and tokenizer, never its code."""

import os
import shutil
from pathlib import Path
from typing import Any

from jobs.fetch.hub_client import DownloadMonitor, files_on_hub, hub_problem
from jobs.fetch.report import Problem, Progress, send_message
from jobs.fetch.retry import Retry
from orchestrator.services.models.files import INDEX, PARTIAL_FOLDER, WEIGHTS, file_problem, missing_file


def fetch_hub(
    source: dict[str, Any], secrets: dict[str, Any], folder: Path, progress: Progress, timeout_s: float
) -> list[tuple[Path, str]]:
    """Downloads the model's files of one commit, which it reports as `revision`: [(file, its name)].

    What arrived before an interruption stays in `folder`, and the next call continues from there.

    Args:
        source: repo, and revision (a branch, tag or commit; "" for the newest).
        secrets: token, for gated and private models.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub.errors import HfHubHTTPError

    repo = source["repo"]
    commit, sizes = files_on_hub(source, secrets, Retry(timeout_s, progress))
    names = model_files(sizes, repo)
    progress.total = sum(names.values())
    progress.check_total()
    send_message(revision=commit, done=0, total=progress.total)
    _delete_other_commits(commit, names, folder)
    try:
        with DownloadMonitor(folder, progress) as monitor:
            for name, size in names.items():
                _download(repo, name, size, commit, secrets.get("token") or False, folder)
                monitor.check()
    except HfHubHTTPError as error:
        raise Problem(hub_problem(error, repo, source.get("revision") or "", "model")) from error
    return [(folder / name, name) for name in names]


def _delete_other_commits(commit: str, names: dict[str, int], folder: Path) -> None:
    """Deletes what an earlier attempt downloaded of another commit."""
    note = folder / PARTIAL_FOLDER / "commit"
    if not note.is_file() or note.read_text() != commit:
        shutil.rmtree(folder / PARTIAL_FOLDER, ignore_errors=True)
        for name in names:
            (folder / name).unlink(missing_ok=True)
    note.parent.mkdir(exist_ok=True)
    note.write_text(commit)


def _download(repo: str, name: str, size: int, commit: str, token: str | bool, folder: Path) -> None:
    """Downloads one file, from where an earlier attempt ended; the Hub's own hf_hub_download would start again."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    if (folder / name).is_file():
        return
    partial = folder / PARTIAL_FOLDER / name
    if partial.is_file() and partial.stat().st_size > size:
        partial.unlink()
    with partial.open("ab") as file:
        url, headers = hf_hub_url(repo, name, revision=commit), build_hf_headers(token=token)
        http_get(url, file, resume_size=file.tell(), headers=headers, expected_size=size)
    os.replace(partial, folder / name)


def repository_size(source: dict[str, Any], secrets: dict[str, Any]) -> dict[str, Any]:
    """What would be downloaded of a model or dataset: {revision (the commit), files (how many), bytes}.

    Raises:
        Problem: a sentence.
    """
    from jobs.fetch.hub_dataset import dataset_files

    commit, sizes = files_on_hub(source, secrets)
    files = (dataset_files if source["kind"] == "dataset" else model_files)(sizes, source["repo"])
    return {"revision": commit, "files": len(files), "bytes": sum(files.values())}


def model_files(sizes: dict[str, int], repo: str) -> dict[str, int]:
    """The files of the top folder that belong to a base model, with their sizes.

    Raises:
        Problem: there are no safetensors, or another file that is needed is missing.
    """
    top = {name: size for name, size in sizes.items() if "/" not in name and not file_problem(name, size)}
    if not any(name.endswith(".safetensors") for name in top):
        pickled = (
            " It holds pickled weights, which are not accepted: look for a revision with safetensors."
            if any(name.endswith((".bin", ".pt", ".pth", ".ckpt")) for name in sizes)
            else ""
        )
        raise Problem(f"{repo} has no .safetensors file in its top folder.{pickled}")
    # One set of weights: other safetensors than model.safetensors are another precision of the same.
    if WEIGHTS in top:
        duplicates = [name for name in top if name == INDEX or (name.endswith(".safetensors") and name != WEIGHTS)]
        top = {name: size for name, size in top.items() if name not in duplicates}
    if sentence := missing_file(top):
        raise Problem(f"{repo} cannot be trained as it is: {sentence.partition('. ')[0]}. Choose another model.")
    return dict(sorted(top.items(), key=lambda item: item[1]))
