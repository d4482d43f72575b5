"""Fetches a dataset from the Hugging Face Hub: its videos, archives and annotation files, all of one commit."""

from pathlib import Path, PurePosixPath
from typing import Any

from jobs.fetch.cloud import MAX_OBJECTS, is_importable
from jobs.fetch.hub_client import hub_problem, repo_info
from jobs.fetch.object_folder import ObjectFolder, PartialObject, RemoteObject
from jobs.fetch.objects import fetch_objects
from jobs.fetch.report import Problem, Progress, send_message
from jobs.fetch.retry import Retry
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS


def fetch_dataset(
    source: dict[str, Any], secrets: dict[str, Any], folder: Path, progress: Progress, timeout_s: float
) -> list[tuple[Path, str]]:
    """Downloads the files into `folder`, and reports the commit as `revision`: [(file, its path there)].

    What an earlier call downloaded of another commit stays where the file is the same in this one.

    Raises:
        Problem: a sentence.
    """
    from huggingface_hub.errors import HfHubHTTPError

    repo = source["repo"]
    info = repo_info(source, secrets, Retry(timeout_s, progress))
    items = {item.rfilename: item for item in info.siblings or []}
    objects = [
        RemoteObject(key=name, name=name, size=size, version=items[name].blob_id or info.sha)
        for name, size in dataset_files({name: item.size or 0 for name, item in items.items()}, repo).items()
    ]
    send_message(revision=info.sha, done=0, total=sum(remote.size for remote in objects))
    store = _Repository(repo, info.sha, secrets.get("token") or False)
    try:
        return fetch_objects(objects, store, ObjectFolder(folder, repo, ("hub", repo)), progress, timeout_s)
    except HfHubHTTPError as error:
        raise Problem(hub_problem(error, repo, source.get("revision") or "", "dataset")) from error


class _Repository:
    """A dataset at one commit."""

    def __init__(self, repo: str, commit: str, token: str | bool) -> None:
        self._repo, self._commit, self._token = repo, commit, token

    def copy(self, remote: RemoteObject, target: PartialObject) -> None:
        """Streams the missing bytes; the Hub's own download would write tens of megabytes at once, or nothing."""
        from huggingface_hub import constants, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff

        headers = build_hf_headers(token=self._token) | {"Accept-Encoding": "identity"}
        headers |= {"Range": f"bytes={target.size}-"} if target.size else {}
        with http_stream_backoff(
            "GET",
            hf_hub_url(self._repo, remote.key, repo_type="dataset", revision=self._commit),
            headers=headers,
            timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
            retry_on_exceptions=(),  # `Retry` does, and reports meanwhile that this process is alive
            retry_on_status_codes=(),
        ) as answer:
            hf_raise_for_status(answer)
            if target.size and answer.status_code != 206:
                target.restart()
            for block in answer.iter_bytes():
                target.write(block)


def dataset_files(sizes: dict[str, int], repo: str) -> dict[str, int]:
    """The files that an import can use, with their sizes.

    Raises:
        Problem: there are none, or too many.
    """
    files = {name: size for name, size in sorted(sizes.items()) if is_importable(name)}
    # Clips may be inside Parquet files, too: services/datasets/ingest/parquet_clips.py.
    if all(PurePosixPath(name).suffix.lower() in TEXT_ENDINGS - {".parquet"} for name in files):
        raise Problem(f"{repo} holds no videos and no archives of them. Choose a dataset with video files.")
    if len(files) > MAX_OBJECTS:
        raise Problem(f"{repo} holds {len(files):,} files; at most {MAX_OBJECTS:,} are fetched at once.")
    return files
