"""`./loreel check-adapter FOLDER [CLIPS ...]`: proves that a plain script feeds an adapter what its training fed it.

It reads `contract.json` of the adapter and prepares the same clips with transformers alone: its `AutoProcessor` from
the folder, its `load_video`, its chat template. Held-out clips are found by content among CLIPS (files or folders).
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from jobs.families.video_llm.contract import CONTRACT, VERSION, input_facts

_ROUNDING = 1 / 255
"""By how much the means of normalized pixels may differ: another processor rounds a resize differently."""


def check(folder: Path, clips: Sequence[Path] = ()) -> Iterator[tuple[str, str]]:
    """(clip, what differs) of each clip of the contract; "" where everything is equal, "not here" without its file.

    Raises:
        ValueError: the folder has no contract, or one of another version.
    """
    try:
        contract = json.loads((folder / CONTRACT).read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{folder} has no readable {CONTRACT}: it was not trained on its processor's own inputs."
        ) from error
    if contract.get("version") != VERSION:
        raise ValueError(f"{CONTRACT} has version {contract.get('version')}; this program reads version {VERSION}.")
    processor = _processor(folder)
    for expected in contract["clips"]:
        path = folder / expected["file"] if "file" in expected else _find(expected["sha256"], clips)
        name = expected.get("file") or expected["held_out"]
        if path is None:
            yield name, "not here"
            continue
        yield name, difference(expected, input_facts(plain_inputs(processor, path, contract)))


def plain_inputs(processor: Any, path: Path, contract: dict[str, Any]) -> dict[str, Any]:
    """What transformers makes of a clip and the question."""
    from transformers.video_utils import load_video

    if "prompt" in contract:
        return _picture_inputs(processor, path, contract)
    frames, metadata = load_video(
        cast(Any, str(path)),
        backend="pyav",
        sample_indices_fn=lambda metadata: processor.video_processor.sample_frames(metadata),
    )
    content = [{"type": "video", "video": frames}, {"type": "text", "text": contract["question"]}]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if contract["system"]:
        system: Any = contract["system"]
        parts = [{"type": "text", "text": system}]
        messages.insert(0, {"role": "system", "content": system if contract.get("system_is_text") else parts})
    return processor.apply_chat_template(
        messages,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={"do_sample_frames": False, "videos_kwargs": {"video_metadata": [metadata]}},
    )


def _picture_inputs(processor: Any, path: Path, contract: dict[str, Any]) -> dict[str, Any]:
    """The same where each frame is a picture to the processor: Flamingo (Idefics).

    Every word attends to all frames of a clip. By itself this processor lets it attend to the picture before it only,
    as for web pages with unrelated pictures.
    """
    import torch
    from transformers.video_utils import load_video

    before, after = contract["prompt"]
    frames, _ = load_video(cast(Any, str(path)), num_frames=processor.image_processor.num_frames, backend="pyav")
    inputs = processor(text=[[before, *frames, after]], return_tensors="pt")
    inputs["image_attention_mask"] = torch.ones_like(inputs["image_attention_mask"])
    return inputs


def difference(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """What differs, as a few words; "" for nothing but the rounding of pixels."""
    for name in ("tokens", "grid", "token_ids", "second_per_grid"):
        if expected.get(name) != found.get(name):
            return f"{name.replace('_', ' ')}: {expected.get(name)} in training, {found.get(name)} now"
    if expected["pixels"] == found["pixels"]:
        return ""
    far = max(abs(a - b) for a, b in zip(expected["pixel_means"], found["pixel_means"], strict=True))
    return "" if far <= _ROUNDING else f"pixels: the mean of a step in time differs by {far:.4f}"


def _processor(folder: Path) -> Any:
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _find(content_hash: str, places: Sequence[Path]) -> Path | None:
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == content_hash:
                return path
    return None


def main(arguments: Sequence[str]) -> int:
    """Prints a line for each clip; 1 where any differs."""
    parser = argparse.ArgumentParser("./loreel check-adapter", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", type=Path, nargs="*")
    given = parser.parse_args(arguments)
    try:
        results = list(check(given.folder, given.clips))
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    for name, problem in results:
        print(f"{name}: {problem or 'equal'}")  # noqa: T201
    differing = sum(bool(problem) and problem != "not here" for _, problem in results)
    checked = sum(problem != "not here" for _, problem in results)
    print(f"{checked - differing} of {checked} clips are fed as in training.")  # noqa: T201
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
