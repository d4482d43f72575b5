"""Fetches a dataset from the Hugging Face Hub: its videos, archives and describing files, all of one commit."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.fetch.cloud import MOST_OBJECTS, WANTED
from jobs.fetch.hub import Watch, files_on_hub, words_of
from jobs.fetch.report import Problem, Progress, say
from orchestrator.services.datasets.files import is_litter
from orchestrator.services.datasets.layouts.tree import TEXT_ENDINGS


def fetch_dataset(
    source: dict[str, Any], secrets: dict[str, Any], folder: Path, progress: Progress
) -> list[tuple[Path, str]]:
    """Writes the files into `folder` under numbers; the commit is told as `revision`: [(file, its path there)].

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    repo = source["repo"]
    commit, sizes = files_on_hub(source, secrets)
    wanted = dataset_files(sizes, repo)
    progress.total = sum(wanted.values())
    progress.check_total()
    say(revision=commit, done=0, total=progress.total)
    api, brought = HfApi(token=secrets.get("token") or False), []
    try:
        with Watch(folder, progress) as watch:
            for number, name in enumerate(wanted):
                options = {"repo_type": "dataset", "revision": commit, "local_dir": folder / "files"}
                arrived = api.hf_hub_download(repo, name, **options)
                os.replace(arrived, folder / str(number))
                brought.append((folder / str(number), name))
                watch.check()
    except HfHubHTTPError as error:
        raise Problem(words_of(error, repo, source.get("revision") or "", "dataset")) from error
    return brought


def dataset_files(sizes: dict[str, int], repo: str) -> dict[str, int]:
    """The files that an import can use, with their sizes.

    Raises:
        Problem: there are none, or too many.
    """
    wanted = {
        name: size
        for name, size in sorted(sizes.items())
        if PurePosixPath(name).suffix.lower() in WANTED and not is_litter(name)
    }
    # Clips may lie inside Parquet files, too: services/datasets/inside_tables.py.
    if all(PurePosixPath(name).suffix.lower() in TEXT_ENDINGS - {".parquet"} for name in wanted):
        raise Problem(f"{repo} holds no videos and no archives of them. Choose a dataset with video files.")
    if len(wanted) > MOST_OBJECTS:
        raise Problem(f"{repo} holds {len(wanted):,} files; at most {MOST_OBJECTS:,} are fetched at once.")
    return wanted
