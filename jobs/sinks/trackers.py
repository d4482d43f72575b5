"""Curves to MLflow, Weights & Biases or trackio, when the operator names them: a failing tracker never stops a run."""

import queue
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from orchestrator.domain.live_records import MetricRecord, RunRecord

KNOWN = ("mlflow", "wandb", "trackio")
_PACKAGE = {"mlflow": "mlflow-skinny", "wandb": "wandb", "trackio": "trackio"}
_HELD = 10_000
"""Records that wait for a slow tracker; beyond that the newest are left out there, never here."""
_PATIENCE_S = 2.0


class Run(Protocol):
    """One run in a tool."""

    def log(self, values: dict[str, float], step: int) -> None: ...

    def end(self) -> None: ...


class Mlflow:
    """Reads MLFLOW_TRACKING_URI and its like from the environment."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        client: Any = import_module("mlflow").MlflowClient()
        found = client.get_experiment_by_name("loreel")
        experiment = found.experiment_id if found else client.create_experiment("loreel")
        self._client, self._id = client, client.create_run(experiment, run_name=name).info.run_id
        for key, value in settings.items():
            client.log_param(self._id, key, str(value)[:250])

    def log(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._client.log_metric(self._id, name, value, step=step)

    def end(self) -> None:
        self._client.set_terminated(self._id)


class Initialized:
    """W&B and trackio, which share their words: `init(project, name, config)`, `log`, `finish`."""

    def __init__(self, package: str, name: str, settings: dict[str, Any]) -> None:
        self._module: Any = import_module(package)
        self._module.init(project="loreel", name=name, config=settings)

    def log(self, values: dict[str, float], step: int) -> None:
        self._module.log(values, step=step)

    def end(self) -> None:
        self._module.finish()


class TrackerSink:
    """Hands metrics to one tool from a thread of its own; the first failure is said once, then it is left alone."""

    def __init__(self, tool: str, begin: Callable[[], Run], say: Callable[[str], None]) -> None:
        self._tool, self._begin, self._say = tool, begin, say
        self._waiting: queue.Queue[MetricRecord | None] = queue.Queue(_HELD)
        self._thread = threading.Thread(target=self._work, daemon=True, name=f"tracker-{tool}")
        self._thread.start()

    def put(self, record: RunRecord) -> None:
        if record["kind"] == "metric" and self._thread.is_alive() and not self._waiting.full():
            self._waiting.put_nowait(record)

    def close(self) -> None:
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=_PATIENCE_S)
            except queue.Full:
                return
            self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        try:
            run = self._begin()
            while (record := self._waiting.get()) is not None:
                run.log(record["values"], record["step"])
            run.end()
        except ModuleNotFoundError:
            self._say(f"{self._tool} is not installed, so nothing is sent there: pip install {_PACKAGE[self._tool]}.")
        # A tool's failures are of any kind, SystemExit included; none of them is the run's.
        except BaseException as error:
            first = (str(error).strip().splitlines() or [""])[0][:200]
            self._say(f"{self._tool} does not take the curves ({type(error).__name__}: {first}). The run goes on.")


def trackers(
    wanted: Sequence[str], name: str, settings: dict[str, Any], say: Callable[[str], None]
) -> list[TrackerSink]:
    """A sink for each tool that the operator named; a name that is none is said."""
    made: list[TrackerSink] = []
    for tool in dict.fromkeys(word.strip().lower() for word in wanted if word.strip()):
        if tool not in KNOWN:
            say(f"LOREEL_TRACKERS names {tool}; known are {', '.join(KNOWN)}.")
            continue

        def begin(tool: str = tool) -> Run:
            return Mlflow(name, settings) if tool == "mlflow" else Initialized(tool, name, settings)

        made.append(TrackerSink(tool, begin, say))
    return made


def flat(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe as one level of names, as trackers show parameters."""
    found: dict[str, Any] = {}
    for part, inner in recipe.items():
        found |= {f"{part}.{key}": value for key, value in inner.items()} if isinstance(inner, dict) else {part: inner}
    return found
