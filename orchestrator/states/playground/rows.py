"""The rows of the playground: each model's answer as bars, a sentence or clips, and the clip it is about."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.tasks import AnswerKind, ProblemType, task_spec
from orchestrator.services.playground.choices import AdapterChoice, BaseChoice, DatasetChoice
from orchestrator.states.shared.presentation import clip_address, series_of

_UNTRAINED_HEAD = "The base was not trained on these classes: its head is untrained, so expect a guess."
STAGES = {
    "waiting": "Waiting for the worker",
    "fetching": "Fetching the clip",
    "loading": "Loading the model",
    "looking": "Checking the clip",
    "answering": "Answering",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A class and its probability."""

    label: str
    share: float
    percent: str
    right: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A clip that a search found."""

    clip_id: int
    name: str
    caption: str
    score: str
    rank: int
    thumbnail: str
    preview: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One model's answer."""

    who: str
    title: str
    note: str
    series: int
    """The job's chart colour; 0 for the base."""
    took: str = ""
    verdict: str = ""
    mark: str = ""
    """right | wrong, against the clip's label or caption; "" where there is none to judge by."""
    bars: list[Bar] = field(default_factory=list)
    more: str = ""
    text: str = ""
    hits: list[Hit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scene:
    """The clip that a question is about, from a dataset or dropped."""

    key: str
    """clip-12, or the id of a dropped one."""
    clip_id: int
    name: str
    thumbnail: str
    preview: str
    facts: str
    duration: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier answer of this visit."""

    number: int
    title: str
    answer: str
    picture: str


def base_option(base: BaseChoice) -> dict[str, str]:
    return {"value": str(base.id), "label": base.name, "hint": base.task}


def adapter_option(adapter: AdapterChoice) -> dict[str, str]:
    return {"value": str(adapter.id), "label": adapter.name, "hint": f"job {adapter.job_id}"}


def dataset_option(dataset: DatasetChoice) -> dict[str, str]:
    return {"value": str(dataset.id), "label": dataset.name, "hint": formatting.plural(dataset.clips, "clip")}


def blank_panels(base: str, adapter: AdapterChoice | None) -> list[Panel]:
    """The models that will answer, without their answers."""
    panel = Panel("base", base, "no adapter", 0)
    if adapter is None:
        return [panel]
    return [panel, Panel("adapter", adapter.name, f"job {adapter.job_id}, on {base}", series_of(adapter.job_id))]


def panel_of(panel: Panel, part: Mapping[str, Any], answer: Mapping[str, Any]) -> Panel:
    """The panel with its model's part of the answer."""
    clip, text = answer.get("clip") or {}, str(part.get("text", ""))
    reference = str(clip.get("reference") or "")
    own = [str(name) for name in clip.get("labels") or ([reference] if reference else [])]
    bars = _bars(part.get("labels") or [], own)
    several = part.get("problem_type") == ProblemType.MULTI_LABEL
    verdict, mark = _labels_verdict(bars, own) if several else _verdict(bars, text, reference)
    return Panel(
        who=panel.who,
        title=panel.title,
        note=panel.note,
        series=panel.series,
        took=f"{float(part.get('ms', 0)):,.0f}{formatting.NBSP}ms",
        verdict=verdict,
        mark=mark,
        bars=bars,
        more=_more(panel, part, bars, answer),
        text=text,
        hits=[_hit(rank, row) for rank, row in enumerate(part.get("clips") or [], 1)],
    )


def _bars(labels: list[Mapping[str, Any]], own: Sequence[str]) -> list[Bar]:
    return [
        Bar(
            str(row["label"]),
            round(100 * float(row["probability"]), 2),
            formatting.percent(float(row["probability"]), 1),
            row["label"] in own,
        )
        for row in labels
    ]


def _labels_verdict(bars: Sequence[Bar], own: Sequence[str]) -> tuple[str, str]:
    """What a model says of a clip that may have several classes: those with a score of at least 50 %."""
    said = [bar.label for bar in bars if bar.share >= 50]
    text = f"Says {', '.join(said)}" if said else "Says none of its classes"
    if not own:
        return text, ""
    right = set(said) == set(own)
    return (f"{text}, right", "right") if right else (f"{text}, but it is {', '.join(own)}", "wrong")


def _verdict(bars: list[Bar], text: str, reference: str) -> tuple[str, str]:
    """What the model says in a sentence, and whether that is right or wrong; without a reference neither."""
    if bars:
        first = bars[0]
        says = f"{'Says' if first.share >= 50 else 'Guesses'} {first.label}"
        if not reference:
            return says, ""
        return (f"{says}, right", "right") if first.right else (f"{says}, but it is {reference}", "wrong")
    lines = [_plain(line) for line in reference.split("\n") if line.strip()]
    return ("Word for word as the clip's caption", "right") if text and _plain(text) in lines else ("", "")


def _plain(text: str) -> str:
    return " ".join(text.lower().strip(" .!").split())


def _more(panel: Panel, part: Mapping[str, Any], bars: list[Bar], answer: Mapping[str, Any]) -> str:
    rest = int(part.get("classes") or 0) - len(bars)
    if panel.who == "base" and bars and answer.get("adapter"):
        return _UNTRAINED_HEAD
    if part.get("looked_at"):
        embedded = formatting.plural(int(part["looked_at"]), "clip")
        return f"{embedded} were embedded for the first time; the next search is faster."
    clip = answer.get("clip") or {}
    if bars and not clip.get("reference") and not clip.get("labels"):
        return _no_reference(bars, rest)
    if rest <= 0:
        return ""
    return f"{formatting.plural(rest, 'other class', 'other classes')} {'is' if rest == 1 else 'are'} less likely."


def _no_reference(bars: list[Bar], rest: int) -> str:
    """That a clip without a label may show something that the model has no class for."""
    known = ", ".join(sorted(bar.label for bar in bars))
    more = f" and {formatting.plural(rest, 'other class', 'other classes')}" if rest > 0 else ""
    return f"This clip has no label, and perhaps none of the classes fits: this model knows only {known}{more}."


def _hit(rank: int, row: Mapping[str, Any]) -> Hit:
    clip_id = int(row["clip_id"])
    return Hit(
        clip_id,
        str(row["name"]),
        str(row.get("caption") or ""),
        f"{float(row['score']):.2f}".replace("-", "\u2212"),
        rank,
        clip_address(clip_id, "thumbnail"),
        clip_address(clip_id, "preview"),
    )


def timing_of(answer: Mapping[str, Any], waited_s: float) -> str:
    """How long the answer took, and of that: waiting for the worker, loading the model, the inference itself."""
    load_s = float(answer.get("load_ms") or 0) / 1000
    inference_s = sum(float(part.get("ms") or 0) for part in answer.get("answers") or ()) / 1000
    device = str(answer.get("device") or "cpu").split(":")[0].upper()
    device = "GPU" if device == "CUDA" else device
    parts = [
        (max(0.0, waited_s - load_s - inference_s), "waiting for the worker"),
        (load_s, "loading the model"),
        (inference_s, "inference"),
    ]
    said = ", ".join(f"{_seconds(seconds)} {what}" for seconds, what in parts if seconds >= 0.05)
    return f"{_seconds(waited_s)} on the {device}" + (f" ({said})" if said else "")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}{formatting.NBSP}s" if seconds >= 1 else f"{1000 * seconds:.0f}{formatting.NBSP}ms"


def sampled_of(answer: Mapping[str, Any]) -> str:
    """How many frames of which size the model received, or how many clips were searched."""
    if task_spec(answer.get("task")).answer is AnswerKind.CLIPS:
        skipped = int(answer.get("left_out") or 0)
        note = f", {skipped:,} skipped that cannot be decoded" if skipped else ""
        return f"{formatting.plural(int(answer.get('searched') or 0), 'clip')} searched{note}"
    high, wide = answer.get("size") or (0, 0)
    return f"{formatting.plural(int(answer.get('frames') or 0), 'frame')}, {wide} × {high}"


def stage_of(record: Mapping[str, Any]) -> str:
    """The stage that a record reports, in words; "" where it reports none."""
    if "progress" in record:
        done, total = record["progress"]
        return f"Embedding the clips: {done:,} of {total:,}"
    return STAGES.get(str(record.get("stage", "")), "")


def curl_of(origin: str, body: Mapping[str, Any], dropped: str) -> str:
    """The same question as a shell command; it uploads a dropped clip first, which is stored for an hour only."""
    head = '-H "Authorization: Bearer $LOREEL_TOKEN"'
    text = json.dumps(body).replace("'", "'\\''").replace("$SCRATCH", "'\"$SCRATCH\"'")
    ask = f"curl {origin}/api/v1/infer {head} -H 'Content-Type: application/json' -d '{text}'"
    if not dropped:
        return ask
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in dropped)
    send = f"curl -s {head} --data-binary @{name} '{origin}/api/v1/playground/clips?name={name}'"
    read = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"id\"])'"
    return f"SCRATCH=$({send} | {read})\n{ask}"


def python_of(origin: str, body: Mapping[str, Any], dropped: str) -> str:
    """The same question as a Python program; it uploads a dropped clip first."""
    known = {name: value for name, value in body.items() if name != "scratch_id"}
    lines = [
        "import os",
        "from pathlib import Path" if dropped else "",
        "",
        "import httpx  # pip install httpx",
        "",
        "client = httpx.Client(",
        f'    base_url="{origin}/api/v1",',
        """    headers={"Authorization": f"Bearer {os.environ['LOREEL_TOKEN']}"},""",
        "    timeout=120,",
        ")",
        f"question = {known!r}",
    ]
    if dropped:
        lines += [
            f"clip = Path({dropped!r})",
            'sent = client.post("/playground/clips", params={"name": clip.name}, content=clip.read_bytes())',
            'question["scratch_id"] = sent.raise_for_status().json()["id"]',
        ]
    lines += ['answer = client.post("/infer", json=question)', "print(answer.raise_for_status().json())"]
    return "\n".join(line for place, line in enumerate(lines) if line or place != 1) + "\n"


def openai_of(origin: str, body: Mapping[str, Any], question: str, dropped: str) -> str:
    """The same question for OpenAI's client, which models that write texts answer.

    Args:
        question: what is asked where `body` has no prompt.
    """
    model = f"adapter-{body['adapter_id']}" if body.get("adapter_id") else f"model-{body['model_id']}"
    parts: list[dict[str, Any]] = [{"type": "text", "text": body.get("prompt") or question}]
    lines = ["import base64", "import os", "", "from openai import OpenAI  # pip install openai", ""]
    if not dropped:
        lines = lines[1:]
    lines.append(f"client = OpenAI(base_url=\"{origin}/v1\", api_key=os.environ['LOREEL_TOKEN'])")
    if dropped:
        lines.append(f"data = base64.b64encode(open({dropped!r}, 'rb').read()).decode()")
        lines.append("clip = f'data:video/mp4;base64,{data}'")
    else:
        lines.append(f"clip = 'clip:{body['clip_id']}'")
    lines += [
        "answer = client.chat.completions.create(",
        f"    model={model!r},",
        "    messages=[",
        "        {",
        "            'role': 'user',",
        "            'content': [",
        f"                {parts[0]!r},",
        "                {'type': 'video_url', 'video_url': {'url': clip}},",
        "            ],",
        "        }",
        "    ],",
        ")",
        "print(answer.choices[0].message.content)",
    ]
    return "\n".join(lines) + "\n"
