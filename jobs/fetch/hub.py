"""Fetches a base model from the Hugging Face Hub: its safetensors, configs, processor and tokenizer, never its code."""

import os
import shutil
from pathlib import Path
from typing import Any

from jobs.fetch.hub_client import DownloadMonitor, files_on_hub, words_of
from jobs.fetch.patience import Patience
from jobs.fetch.report import Problem, Progress, say
from orchestrator.services.models.files import INDEX, PARTIAL_FOLDER, WEIGHTS, file_problem, missing_file


def fetch_hub(
    source: dict[str, Any], secrets: dict[str, Any], folder: Path, progress: Progress, patience_s: float
) -> list[tuple[Path, str]]:
    """Writes the model's files into `folder`, all of one commit, which is told as `revision`: [(file, its name)].

    What arrived before a broken line stays in `folder`, and the next call goes on from there.

    Args:
        source: repo, and revision (a branch, tag or commit; "" for the newest).
        secrets: token, for gated and private models.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub.errors import HfHubHTTPError

    repo = source["repo"]
    commit, sizes = files_on_hub(source, secrets, Patience(patience_s, progress))
    names = wanted_files(sizes, repo)
    progress.total = sum(names.values())
    progress.check_total()
    say(revision=commit, done=0, total=progress.total)
    _keep_only(commit, names, folder)
    try:
        with DownloadMonitor(folder, progress) as watch:
            for name, size in names.items():
                _download(repo, name, size, commit, secrets.get("token") or False, folder)
                watch.check()
    except HfHubHTTPError as error:
        raise Problem(words_of(error, repo, source.get("revision") or "", "model")) from error
    return [(folder / name, name) for name in names]


def _keep_only(commit: str, names: dict[str, int], folder: Path) -> None:
    """Of an earlier try only what is of this very commit."""
    known = folder / PARTIAL_FOLDER / "commit"
    if not known.is_file() or known.read_text() != commit:
        shutil.rmtree(folder / PARTIAL_FOLDER, ignore_errors=True)
        for name in names:
            (folder / name).unlink(missing_ok=True)
    known.parent.mkdir(exist_ok=True)
    known.write_text(commit)


def _download(repo: str, name: str, size: int, commit: str, token: str | bool, folder: Path) -> None:
    """One file, on from where an earlier try ended: the Hub's own hf_hub_download throws a part away."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    if (folder / name).is_file():
        return
    part = folder / PARTIAL_FOLDER / name
    if part.is_file() and part.stat().st_size > size:
        part.unlink()
    with part.open("ab") as file:
        url, headers = hf_hub_url(repo, name, revision=commit), build_hf_headers(token=token)
        http_get(url, file, resume_size=file.tell(), headers=headers, expected_size=size)
    os.replace(part, folder / name)


def look_up(source: dict[str, Any], secrets: dict[str, Any]) -> dict[str, Any]:
    """How much would be fetched of a model or dataset, and which commit that is: {revision, files, bytes}.

    Raises:
        Problem: a sentence.
    """
    from jobs.fetch.hub_dataset import dataset_files

    commit, sizes = files_on_hub(source, secrets)
    wanted = (dataset_files if source["kind"] == "dataset" else wanted_files)(sizes, source["repo"])
    return {"revision": commit, "files": len(wanted), "bytes": sum(wanted.values())}


def wanted_files(sizes: dict[str, int], repo: str) -> dict[str, int]:
    """The files of the top folder that belong to a base model, with their sizes.

    Raises:
        Problem: there are no safetensors, or something beside them is missing.
    """
    top = {name: size for name, size in sizes.items() if "/" not in name and not file_problem(name, size)}
    if not any(name.endswith(".safetensors") for name in top):
        pickled = (
            " It holds pickled weights, which are not accepted: look for a revision with safetensors."
            if any(name.endswith((".bin", ".pt", ".pth", ".ckpt")) for name in sizes)
            else ""
        )
        raise Problem(f"{repo} has no .safetensors file in its top folder.{pickled}")
    # One set of weights: what lies beside model.safetensors is another precision of the same.
    if WEIGHTS in top:
        more = [name for name in top if name == INDEX or (name.endswith(".safetensors") and name != WEIGHTS)]
        top = {name: size for name, size in top.items() if name not in more}
    if sentence := missing_file(top):
        raise Problem(f"{repo} cannot be trained as it is: {sentence.partition('. ')[0]}. Choose another model.")
    return dict(sorted(top.items(), key=lambda item: item[1]))
