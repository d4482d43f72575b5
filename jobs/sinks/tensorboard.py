"""Writes a run's curves as a TensorBoard event file once it has ended: importing TensorBoard takes seconds."""

import json
from datetime import datetime
from pathlib import Path


def write_events(metrics: Path, folder: Path) -> int:
    """Turns `metrics.jsonl` into one event file in `folder`; how many values it holds.

    Of a step that a later attempt trained again the newest value counts.
    """
    # protobuf makes these two classes when the module is imported, where no type checker sees them.
    from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    newest: dict[tuple[int, str], tuple[float, float]] = {}
    for line in metrics.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("kind") == "metric":
            for name, value in record["values"].items():
                newest[record["step"], name] = (seconds_of(record["t"]), value)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()
    writer = EventFileWriter(str(folder))
    for (step, name), (wall, value) in sorted(newest.items()):
        summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
        writer.add_event(Event(wall_time=wall, step=step, summary=summary))
    writer.close()
    return len(newest)


def seconds_of(iso: str) -> float:
    """The Unix time of an ISO 8601 time."""
    return datetime.fromisoformat(iso).timestamp()
