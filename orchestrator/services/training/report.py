"""The report of a job as one HTML file that needs no network: metrics, result, settings, timeline, and plotly."""

import html
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.run_summary import RunSummary, unjudged_sentence
from orchestrator.domain.tasks import METRICS
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.domain.users import Actor
from orchestrator.services.metrics.history import history
from orchestrator.services.metrics.telemetry import telemetry
from orchestrator.services.training.jobs import get_job, list_events
from orchestrator.services.training.rows import EventRow, JobRow

POINTS = 2_000
_STYLE = """
body{font:14px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1.5rem}
body{color:#1a1614;background:#faf9f7}
h1{font-size:24px;letter-spacing:-.02em}h2{font-size:16px;margin-top:2rem}
table{border-collapse:collapse;width:100%;background:#fff;border:1px solid #e2dfdb;border-radius:12px}
td,th{padding:.4rem .8rem;border-top:1px solid #e2dfdb;text-align:left;vertical-align:top}tr:first-child>*{border-top:0}
td.n{font-family:ui-monospace,monospace;font-size:12px}.q{color:#67615b}.plot{background:#fff;border:1px solid #e2dfdb;
border-radius:12px;margin:1rem 0;padding:.5rem}p.bad{color:#c21930}
"""
_TITLES = {
    "loss": "Loss",
    "learning_rate": "Learning rate",
    "grad_norm": "Gradient norm",
    "samples_per_s": "Clips a second",
}


def report(session: Session, actor: Actor, job_id: int) -> tuple[str, str]:
    """Renders the report.

    Returns:
        (file name, HTML).

    Raises:
        NotFound: not the actor's job.
    """
    job = get_job(session, actor, job_id)
    curves = history(session, actor, job_id, points=POINTS).series
    hardware = telemetry(session, actor, job_id, points=POINTS).series
    events = list_events(session, actor, job_id)[::-1]
    body = "".join([*_head(job), *_plots(curves, hardware), *_result(job), *_settings(job), *_timeline(events)])
    plotly_js = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_escape(job.name)} - Loreel</title>'
        f"<style>{_STYLE}</style><script>{plotly_js}</script></head><body>{body}</body></html>"
    )
    return f"{job.name}-{job.id}.html", page


def _head(job: JobRow) -> Iterator[str]:
    yield f'<h1>{_escape(job.name)} <span class="q">#{job.id}</span></h1>'
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    facts = [job.status, f"{job.model_name} on {job.dataset_name}", f"step {job.step:,} of {job.total_steps:,}"]
    facts += [f"{seconds:,.0f} s"] if seconds is not None else []
    yield f'<p class="q">{_escape(", ".join(facts))}</p>'
    if job.error and job.status not in ACTIVE:
        yield f'<p class="bad">{_escape(job.error)}</p>'


def _plots(curves: dict[str, list[list[float]]], hardware: dict[str, list[list[float]]]) -> Iterator[str]:
    both = [name for name in ("loss", "eval_loss") if name in curves]
    if both:
        yield _plot("Loss", "step", [(_series_title(name), curves[name]) for name in both])
    for name, points in curves.items():
        if name not in both:
            yield _plot(_series_title(name), "step", [(_series_title(name), points)])
    for title, names in (("Processor", ("cpu", "machine_cpu", "gpu")), ("Memory, bytes", ("memory", "machine_memory"))):
        if lines := [(name.replace("_", " "), hardware[name]) for name in names if name in hardware]:
            yield _plot(title, "seconds", lines)


def _series_title(name: str) -> str:
    if metric := METRICS.get(name):
        return metric.label
    return _TITLES.get(name) or name.replace("eval_", "validation ").replace("_", " ").capitalize()


def _plot(title: str, axis: str, lines: list[tuple[str, list[list[float]]]]) -> str:
    traces = [
        {"name": name, "x": [x for x, _ in points], "y": [y for _, y in points], "mode": "lines", "type": "scatter"}
        for name, points in lines
    ]
    layout = {
        "title": {"text": title, "font": {"size": 14}},
        "xaxis": {"title": {"text": axis}},
        "height": 340,
        "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
        "showlegend": len(traces) > 1,
        "colorway": ["#c08400", "#3798cc", "#009e73", "#9b9104", "#0072b2", "#d55e00", "#c875a3"],
    }
    element_id = "plot-" + "".join(char if char.isalnum() else "-" for char in title.lower())
    call = f"Plotly.newPlot({_json(element_id)},{_json(traces)},{_json(layout)},{{responsive:true,displaylogo:false}})"
    return f'<div class="plot" id="{element_id}"></div><script>{call}</script>'


def _result(job: JobRow) -> Iterator[str]:
    plain = (pair for pair in job.summary.to_json().items() if isinstance(pair[1], int | float | str))
    rows = sorted(plain)
    if rows:
        yield "<h2>Result</h2>" + _table(rows)
    matrix, names = job.summary.confusion_matrix, job.summary.class_names
    if matrix and names:
        head = "".join(f"<th>{_escape(name)}</th>" for name in names)
        lines = "".join(
            f"<tr><th>{_escape(name)}</th>{''.join(f'<td class=n>{_escape(cell)}</td>' for cell in row)}</tr>"
            for name, row in zip(names, matrix, strict=False)
        )
        yield f"<h2>Confusion matrix</h2><table><tr><td></td>{head}</tr>{lines}</table>"
    if job.summary.classes:
        yield f"<h2>Classes</h2>{_classes(job.summary)}<p class=q>{_escape(unjudged_sentence(job.summary))}</p>"


def _classes(summary: RunSummary) -> str:
    """A row for each class of a run with several labels; precision, recall and F1 at a score of 0.5."""
    heads = ("Class", "Held-out clips", "Average precision", "Precision", "Recall", "F1")
    rows = [
        [row.name, row.clips, *map(_share, (row.average_precision, row.precision, row.recall, row.f1))]
        for row in summary.classes
    ]
    lines = "".join(f"<tr>{''.join(f'<td class=n>{_escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{lines}</table>"


def _share(value: float | None) -> str:
    return "" if value is None else formatting.percent(value, 1)


def _settings(job: JobRow) -> Iterator[str]:
    rows: list[tuple[str, Any]] = []
    for part, inner in job.recipe.items():
        rows += [(f"{part}.{k}", v) for k, v in inner.items()] if isinstance(inner, dict) else [(part, inner)]
    yield "<h2>Settings</h2>" + _table(rows)


def _timeline(events: list[EventRow]) -> Iterator[str]:
    yield "<h2>Timeline</h2>" + _table([(_time(event.at), event.message) for event in events])


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")


def _table(rows: Iterable[tuple[str, Any]]) -> str:
    lines = "".join(f"<tr><td>{_escape(name)}</td><td class=n>{_escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{lines}</table>"


def _escape(value: Any) -> str:
    return html.escape(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def _json(value: Any) -> str:
    """JSON for a script element; no text in it can end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
