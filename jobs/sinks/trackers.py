"""Sends curves to MLflow, Weights & Biases or trackio, if the operator names them; their failures never stop a run."""

import queue
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from orchestrator.domain.live_records import MetricRecord, RunRecord

KNOWN = ("mlflow", "wandb", "trackio")
_PACKAGE = {"mlflow": "mlflow-skinny", "wandb": "wandb", "trackio": "trackio"}
_MAX_WAITING = 10_000
"""Records that wait for a slow tracker; further ones are dropped there, and only there."""
_CLOSE_TIMEOUT_S = 2.0


class Run(Protocol):
    """One run in a tool."""

    def log(self, values: dict[str, float], step: int) -> None: ...

    def end(self) -> None: ...


class Mlflow:
    """MLflow, which reads MLFLOW_TRACKING_URI and related variables itself."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        client: Any = import_module("mlflow").MlflowClient()
        existing = client.get_experiment_by_name("loreel")
        experiment = existing.experiment_id if existing else client.create_experiment("loreel")
        self._client, self._id = client, client.create_run(experiment, run_name=name).info.run_id
        for key, value in settings.items():
            client.log_param(self._id, key, str(value)[:250])

    def log(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._client.log_metric(self._id, name, value, step=step)

    def end(self) -> None:
        self._client.set_terminated(self._id)


class WandbLike:
    """W&B and trackio, which have the same functions: `init(project, name, config)`, `log`, `finish`."""

    def __init__(self, package: str, name: str, settings: dict[str, Any]) -> None:
        self._module: Any = import_module(package)
        self._module.init(project="loreel", name=name, config=settings)

    def log(self, values: dict[str, float], step: int) -> None:
        self._module.log(values, step=step)

    def end(self) -> None:
        self._module.finish()


class TrackerSink:
    """Sends metrics to one tool from a thread of its own, until its first failure, which is logged."""

    def __init__(self, tool: str, start: Callable[[], Run], warn: Callable[[str], None]) -> None:
        self._tool, self._start_run, self._warn = tool, start, warn
        self._waiting: queue.Queue[MetricRecord | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._send, daemon=True, name=f"tracker-{tool}")
        self._thread.start()

    def put(self, record: RunRecord) -> None:
        if record["kind"] == "metric" and self._thread.is_alive() and not self._waiting.full():
            self._waiting.put_nowait(record)

    def close(self) -> None:
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=_CLOSE_TIMEOUT_S)
            except queue.Full:
                return
            self._thread.join(_CLOSE_TIMEOUT_S)

    def _send(self) -> None:
        try:
            run = self._start_run()
            while (record := self._waiting.get()) is not None:
                run.log(record["values"], record["step"])
            run.end()
        except ModuleNotFoundError:
            self._warn(f"{self._tool} is not installed, so nothing is sent there: pip install {_PACKAGE[self._tool]}.")
        # A tool's failures are of any kind, SystemExit included; none of them is the run's.
        except BaseException as error:
            first = (str(error).strip().splitlines() or [""])[0][:200]
            self._warn(f"{self._tool} does not take the curves ({type(error).__name__}: {first}). The run continues.")


def trackers(
    tools: Sequence[str], name: str, settings: dict[str, Any], warn: Callable[[str], None]
) -> list[TrackerSink]:
    """A sink for each tool that the operator named.

    Args:
        name: of the run. settings: its parameters, by flat name.
        warn: gets a sentence for an unknown tool, and for one that fails.
    """
    sinks: list[TrackerSink] = []
    for tool in dict.fromkeys(word.strip().lower() for word in tools if word.strip()):
        if tool not in KNOWN:
            warn(f"LOREEL_TRACKERS names {tool}; known are {', '.join(KNOWN)}.")
            continue

        def start(tool: str = tool) -> Run:
            return Mlflow(name, settings) if tool == "mlflow" else WandbLike(tool, name, settings)

        sinks.append(TrackerSink(tool, start, warn))
    return sinks


def flat(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe as one level of dotted names, as trackers show parameters."""
    parameters: dict[str, Any] = {}
    for part, inner in recipe.items():
        if isinstance(inner, dict):
            parameters |= {f"{part}.{key}": value for key, value in inner.items()}
        else:
            parameters[part] = inner
    return parameters
