"""The same for encoders, retrievers and the captioner: their cards' programs read frames, the processor does the rest.

Frames are those of the card's own reader, pixels those of the `AutoImageProcessor` of the adapter's folder, words those
of its tokenizer, answers those of the card's program.
"""

import json
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HALF_LEVEL = 1 / 255 + 1e-6
_LEVELS = 255
_DRIVER = """
import json, runpy, sys
for given in json.loads(sys.argv[1]):
    sys.argv = ["program.py", *given]
    runpy.run_path("program.py", run_name="__main__")
    print("--")
"""
TASKS = {"video_classification": "classification", "video_retrieval": "retrieval", "video_captioning": "captioning"}


def base_of(name: str, folder: Path) -> Path:
    """A small base of this family: the shipped one, else one with random weights."""
    from orchestrator.settings import ROOT
    from tests.fakes.bases import make_base

    shipped = {"videomae": "videomae-tiny", "vision-encoder-decoder": "captioner-tiny"}
    if name in shipped:
        return ROOT / "orchestrator" / "builtin" / "models" / shipped[name]
    return make_base(name, folder)


def compare(
    base: Path, adapter: Path, task: str, film: Path, caption: str, learned: tuple[str, ...]
) -> tuple[bool, int]:
    """Whether the words of a caption are equal, and how many pixel values are off.

    Args:
        learned: the captions of the training split, whose words a small vocabulary is extended by.
    """
    import av
    import numpy as np
    import torch
    from av.stream import Disposition
    from PIL import Image
    from transformers import AutoImageProcessor, AutoTokenizer

    from jobs.families.card_program import frame_reader
    from jobs.families.pixels import ClipNormalizer
    from jobs.families.protocol import Plan
    from jobs.families.registry import read_base, resolve
    from jobs.video.cache import ClipFile
    from orchestrator.domain.recipes import parse_recipe

    read, recipe = read_base(base), parse_recipe({})
    sampling = resolve(read).sampling(read, recipe)
    frames, _ = sampling.decode(ClipFile(film, "", film.name))
    fed = ClipNormalizer(read).normalize([{"frames": frames}])[0]
    names: dict[str, Any] = {"av": av, "np": np, "Image": Image, "Disposition": Disposition, "Sequence": Sequence}
    names["bisect_right"] = bisect_right
    exec(frame_reader(), names)
    processor: Any = AutoImageProcessor.from_pretrained(adapter)
    right = processor(names["read_frames"](str(film), sampling.count, None), return_tensors="pt")["pixel_values"]
    right = right.reshape(fed.shape) if right.numel() == fed.numel() else right
    if fed.shape != right.shape:
        return False, right.numel()
    deviation = read.processor.get("image_std", [0.229, 0.224, 0.225])
    scale = 0.5 if read.processor.get("offset") else 1.0  # ViViT's pixels go from -1 to 1
    far = (fed - right).abs() * torch.tensor(deviation).view(3, 1, 1) * scale > _HALF_LEVEL
    if not caption:
        return True, int(far.sum())
    item = {"frames": frames, "captions": [caption], "training": False, "seed": (0, 0)}
    batch = resolve(read).collate(Plan(read, recipe, task, captions=learned))([item])
    ours = batch["labels"] if task == "captioning" else batch["input_ids"]
    plain = AutoTokenizer.from_pretrained(adapter)([caption], return_tensors="pt")["input_ids"]
    plain = plain[:, 1:] if task == "captioning" else plain  # the model itself begins a caption
    padded = ours.shape[1] - plain.shape[1]
    equal = padded >= 0 and torch.equal(ours[:, : plain.shape[1]], plain)
    return equal, int(far.sum())


def count_equal_answers(task: str, adapter: Path, paths: dict[int, str]) -> tuple[int, int]:
    """How many held-out clips were answered, and how many of them the card's program answers as predictions.json."""
    rows = json.loads((adapter / "predictions.json").read_text())
    (adapter / "program.py").write_text((adapter / "README.md").read_text().split("```python\n")[1].split("```")[0])
    (adapter / "driver.py").write_text(_DRIVER)
    films = [paths[row["clip_id"]] for row in rows]
    runs = [[row["reference"], *films] for row in rows] if task == "retrieval" else [films]
    command = [sys.executable, "driver.py", json.dumps(runs)]
    done = subprocess.run(command, cwd=adapter, capture_output=True, text=True, check=True)
    blocks = [
        [line.split("\t") for line in block.splitlines() if "\t" in line] for block in done.stdout.split("--\n")[:-1]
    ]
    if task == "retrieval":  # each sentence finds the clips in the same order
        found = [[path for _, path in lines] for lines in blocks]
        told = [[paths[one["clip_id"]] for one in row["top"]] for row in rows]
        return len(rows), sum(there[: len(here)] == here for there, here in zip(found, told, strict=True))
    said = {line[0]: " ".join(line[1].split()) for line in blocks[0]}
    return len(rows), sum(said[film] == row["predicted"] for film, row in zip(films, rows, strict=True))
