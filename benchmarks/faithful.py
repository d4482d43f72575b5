"""What training feeds a video language model against what transformers alone feeds it from the adapter's folder.

Every family that can be trained, clips of 320x180, 180x320 and 240x240, of 4 s, of 120 s and with a variable frame
rate, all with grounds that flicker. Encoders, retrievers and the captioner: `benchmarks/faithful_encoders.py`.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import faithful_encoders as encoders
from benchmarks.target import Target

TARGETS: dict[str, Target] = {"tokens_equal": {"min": 1.0}, "pixels_off": {"max": 0}, "answers_equal": {"min": 1.0}}
SHAPES = {"landscape": (320, 180), "portrait": (180, 320), "square": (240, 240)}
RATES = {"short": (4.0, 10, False), "long": (120.0, 2, False), "variable": (9.0, 10, True)}
_HALF_LEVEL = 1 / 255


def run() -> dict[str, Any]:
    """Shares over all families; `pixels_off` counts values further apart than 1/255 before they are normalized."""
    from orchestrator.domain.families import FAMILIES
    from tests.unit.jobs.families.published import make_published
    from tests.unit.jobs.families.standard_bases import BASES, make_standard

    names = list(FAMILIES)
    folder = Path(tempfile.mkdtemp(prefix="loreel-faithful-"))
    cases = equal = off = answers = same = 0
    proven: list[str] = []
    try:
        films = _films(folder / "films")
        for name in names:
            if FAMILIES[name].vision is None:
                counted, asked, alike = _encoder(name, folder / name, films)
            else:
                base = (make_standard if name in BASES else make_published)(name, folder / name)
                counted = [_compare(base, folder / f"{name}-processor", film) for film in films]
                asked, alike = _answers(name, base, folder / f"{name}-run", films)
            print(name, counted, asked, alike, flush=True)
            cases, equal, off = cases + len(films), equal + sum(c[0] for c in counted), off + sum(c[1] for c in counted)
            answers, same = answers + asked, same + alike
            proven += [name] if all(c == (True, 0) for c in counted) and asked == alike else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("equal in every case:", ", ".join(proven) or "none")
    return {
        "tokens_equal": round(equal / cases, 3),
        "pixels_off": off,
        "answers_equal": round(same / answers, 3) if answers else 0.0,
        "families": len(names),
        "families_equal": len(proven),
    }


def _films(folder: Path) -> list[Path]:
    from jobs.video.probe_clips import write_flickering

    folder.mkdir()
    return [
        write_flickering(folder / f"{shape}-{kind}.mp4", *size, seconds, rate, varies)
        for shape, size in SHAPES.items()
        for kind, (seconds, rate, varies) in RATES.items()
    ]


def _compare(base: Path, exported: Path, film: Path) -> tuple[bool, int]:
    """Whether token ids, grid and times are equal, and how many pixel values are off."""
    import torch
    from transformers import AutoProcessor

    from jobs.adapters.check import plain_inputs
    from jobs.families.protocol import Plan
    from jobs.families.registry import read_base, resolve
    from jobs.families.video_llm.chat import ChatCollator
    from jobs.families.video_llm.contract import pixels_of, prompt_around_pictures
    from jobs.families.video_llm.own_processor import own_processor
    from jobs.video.cache import ClipFile
    from orchestrator.domain.annotations import CAPTION_QUESTION
    from orchestrator.domain.recipes import parse_recipe

    plan = Plan(read_base(base), parse_recipe({}), "captioning", (), ("x",))
    family = resolve(plan.base)
    frames, timing = family.sampling(plan.base, plan.recipe).decode(ClipFile(film, "", film.name))
    collator = family.collate(plan)
    assert isinstance(collator, ChatCollator)
    ours = collator.generation_inputs([{"frames": frames, "timing": timing, "captions": []}])
    exported.mkdir(exist_ok=True)
    own_processor(base, plan.recipe.data).save(exported)
    question: dict[str, Any] = {"question": CAPTION_QUESTION, "system": ""}
    if not own_processor(base, plan.recipe.data).rules.has_chat_template:
        before, between, after = prompt_around_pictures(collator)
        question["prompt"] = [before, between + CAPTION_QUESTION + after]
    plain = plain_inputs(AutoProcessor.from_pretrained(exported), film, question)
    told = {name for name in plain if not name.startswith("pixel_values")}
    equal = told <= set(ours) and all(torch.equal(ours[name].double(), plain[name].double()) for name in told)
    fed, right = pixels_of(ours), pixels_of(plain)
    if fed.shape != right.shape:
        return False, right.numel()
    far = (fed - right).abs() * max(own_processor(base, plan.recipe.data).video.image_std) > _HALF_LEVEL
    return equal, int(far.sum())


def _small(name: str) -> dict[str, Any]:
    """Settings of a small clip, of those that the family has."""
    from orchestrator.domain.families import FAMILIES

    rule = FAMILIES[name].vision
    assert rule is not None
    if rule.spreads:
        return {"frames": 8}
    if rule.paced:
        return {"frame_tokens": 4}
    return {"max_frames": 8} | ({"frame_tokens": 24} if rule.keeps_shape else {})


def _answers(name: str, base: Path, folder: Path, films: list[Path]) -> tuple[int, int]:
    """Trains, and counts the held-out clips and those that the card's program answers as predictions.json says."""
    adapter, clips = _train(name, base, folder, films, "captioning", _small(name))
    (adapter / "caption.py").write_text((adapter / "README.md").read_text().split("```python\n")[1].split("```")[0])
    rows = json.loads((adapter / "predictions.json").read_text())
    paths = {clip.id: clip.path for clip in clips}
    command = [sys.executable, str(adapter / "caption.py"), *(paths[row["clip_id"]] for row in rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)
    return len(rows), sum(" ".join(said[paths[row["clip_id"]]].split()) == row["predicted"] for row in rows)


def _encoder(name: str, folder: Path, films: list[Path]) -> tuple[list[tuple[bool, int]], int, int]:
    """The same comparisons for a family that has no language model of its own."""
    from orchestrator.domain.families import FAMILIES

    base = encoders.base_of(name, folder / "base")
    task = encoders.TASKS[FAMILIES[name].model_type.value]
    adapter, clips = _train(name, base, folder / "run", films, task, {}, epochs=2)
    learned = tuple(clip.caption for clip in clips if clip.split == "train" and clip.caption)
    counted = [
        encoders.compare(base, adapter, task, film, clip.caption, learned)
        for film, clip in zip(films, clips, strict=True)
    ]
    return counted, *encoders.count_equal_answers(task, adapter, {clip.id: clip.path for clip in clips})


def _train(
    name: str, base: Path, folder: Path, films: list[Path], task: str, data: dict[str, Any], epochs: int = 12
) -> tuple[Path, list[Any]]:
    """The folder of the adapter, and the clips, of which every second one is held out."""
    from jobs.runs.clip_spec import ClipSpec
    from jobs.runs.spec import TrainSpec
    from jobs.sinks.recorder import Recorder
    from jobs.trainer.run import train
    from orchestrator.domain.experts import count_experts

    folder.mkdir(parents=True)
    clips = [
        ClipSpec(
            number,
            str(film),
            film.stem.partition("-")[0] if task == "classification" else "",
            "" if task == "classification" else film.stem.replace("-", " and "),
            "train" if number % 2 else "validation",
            hashlib.sha256(film.read_bytes()).hexdigest(),
            film.name,
        )
        for number, film in enumerate(films, 1)
    ]
    recipe = {
        "optim": {"epochs": epochs, "learning_rate": 1e-2, "batch_size": 2, "seed": 3},
        "qlora": {"bits": 16 if count_experts(json.loads((base / "config.json").read_text())) else 4},
        "data": data,
        "eval": {"baseline": False, "clips": 1, "keep": "last"},
        "output_name": "tiny",
    }
    spec = TrainSpec(
        job_id=1, attempt=1, name=name, folder=str(folder), recipe=recipe, task=task,
        class_names=sorted(SHAPES) if task == "classification" else [],
        dataset_name="films", model_name=name, model_path=str(base), model_revision="", family=name, architecture=name,
        clips=clips, cache_dir=str(folder / "cache"),
    )  # fmt: skip
    result = train(spec, Recorder(0, 1, []), lambda: False)
    if result.status != "completed":
        raise RuntimeError(f"{name}: {result.error}")
    return folder / "adapter", clips
