"""Fetches a dataset from the Hugging Face Hub: its videos, archives and describing files, all of one commit."""

from pathlib import Path, PurePosixPath
from typing import Any

from jobs.fetch.cloud import MOST_OBJECTS, WANTED
from jobs.fetch.hub_client import repo_info, words_of
from jobs.fetch.kept import Half, Kept, Object
from jobs.fetch.objects import fetch_objects
from jobs.fetch.patience import Patience
from jobs.fetch.report import Problem, Progress, say
from orchestrator.services.datasets.files import is_system_file
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS


def fetch_dataset(
    source: dict[str, Any], secrets: dict[str, Any], folder: Path, progress: Progress, patience_s: float
) -> list[tuple[Path, str]]:
    """Writes the files into `folder`; the commit is told as `revision`: [(file, its path there)].

    What an earlier call left there stays, of whatever commit, where the file is the same in this one.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub.errors import HfHubHTTPError

    repo = source["repo"]
    info = repo_info(source, secrets, Patience(patience_s, progress))
    found = {item.rfilename: item for item in info.siblings or []}
    wanted = [
        Object(key=name, name=name, size=size, version=found[name].blob_id or info.sha)
        for name, size in dataset_files({name: item.size or 0 for name, item in found.items()}, repo).items()
    ]
    say(revision=info.sha, done=0, total=sum(one.size for one in wanted))
    store = _Repository(repo, info.sha, secrets.get("token") or False)
    try:
        return fetch_objects(wanted, store, Kept(folder, repo, ("hub", repo)), progress, patience_s)
    except HfHubHTTPError as error:
        raise Problem(words_of(error, repo, source.get("revision") or "", "dataset")) from error


class _Repository:
    """A dataset at one commit."""

    def __init__(self, repo: str, commit: str, token: str | bool) -> None:
        self._repo, self._commit, self._token = repo, commit, token

    def copy(self, one: Object, half: Half) -> None:
        """Streams what is missing of it; the Hub's own download writes tens of megabytes at once, or nothing."""
        from huggingface_hub import constants, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff

        headers = build_hf_headers(token=self._token) | {"Accept-Encoding": "identity"}
        headers |= {"Range": f"bytes={half.size}-"} if half.size else {}
        with http_stream_backoff(
            "GET",
            hf_hub_url(self._repo, one.key, repo_type="dataset", revision=self._commit),
            headers=headers,
            timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
            retry_on_exceptions=(),  # our own pauses say meanwhile that somebody is there
            retry_on_status_codes=(),
        ) as answer:
            hf_raise_for_status(answer)
            if half.size and answer.status_code != 206:
                half.restart()
            for block in answer.iter_bytes():
                half.write(block)


def dataset_files(sizes: dict[str, int], repo: str) -> dict[str, int]:
    """The files that an import can use, with their sizes.

    Raises:
        Problem: there are none, or too many.
    """
    wanted = {
        name: size
        for name, size in sorted(sizes.items())
        if PurePosixPath(name).suffix.lower() in WANTED and not is_system_file(name)
    }
    # Clips may lie inside Parquet files, too: services/datasets/inside_tables.py.
    if all(PurePosixPath(name).suffix.lower() in TEXT_ENDINGS - {".parquet"} for name in wanted):
        raise Problem(f"{repo} holds no videos and no archives of them. Choose a dataset with video files.")
    if len(wanted) > MOST_OBJECTS:
        raise Problem(f"{repo} holds {len(wanted):,} files; at most {MOST_OBJECTS:,} are fetched at once.")
    return wanted
