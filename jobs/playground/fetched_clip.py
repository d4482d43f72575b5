"""A clip from the web for one question: downloaded and checked as those of datasets are, and deleted at the end."""

import secrets
import shutil
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from jobs.fetch.child import fetch_messages
from jobs.video.probe_pool import ProbeProcess
from orchestrator.domain.errors import Invalid
from orchestrator.domain.users import Actor
from orchestrator.services.fetching import fetch_request
from orchestrator.services.playground.questions import ClipInput
from orchestrator.settings import get_settings

_MAX_DOWNLOAD_S = 20.0


class FetchedClip:
    """Downloads in a thread while its context is entered; `done` once that has succeeded or failed."""

    def __init__(self, actor: Actor, url: str) -> None:
        self._url = url
        self._folder = get_settings().data_dir / "scratch" / str(actor.user_id) / f"fetch-{secrets.token_hex(8)}"
        self._problem, self._clip = "", None
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="fetch-clip")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing = True
        self._thread.join(timeout=2.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def clip(self) -> ClipInput:
        """The clip, once `done`.

        Raises:
            Invalid: why there is none.
        """
        if self._clip is None:
            raise Invalid(self._problem or "Nothing came from this address.", "video_url")
        return self._clip

    def _run(self) -> None:
        source, limit = {"type": "url", "url": self._url}, get_settings().playground_clip_bytes
        request = fetch_request(source, {}, self._folder, limit, max_timeout_s=_MAX_DOWNLOAD_S)
        try:
            for message in fetch_messages(request, lambda: not self._closing):
                if "problem" in message:
                    self._problem = str(message["problem"])
                    return None
                if "files" in message:
                    return self._probe(message["files"][0])
        except OSError as error:
            self._problem = f"The clip could not be stored: {error.strerror or error}."

    def _probe(self, file: list[str]) -> None:
        path, name = self._folder / Path(file[0]).name, file[1]
        process = ProbeProcess()
        try:
            facts = process([(str(path), name, str(self._folder / "strip.jpg"))])[0]
        finally:
            process.end()
        if facts.problem:
            self._problem = facts.problem
        else:
            self._clip = ClipInput(path, name)
