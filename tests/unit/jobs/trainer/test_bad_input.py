"""Every kind of bad input ends in a clear sentence in result.json, or trains; the last good checkpoint stays."""

import dataclasses
import hashlib
import json
import math
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
import torch
from av.video.stream import VideoStream

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.checkpoints import latest_complete_checkpoint
from jobs.trainer.entrypoint import main
from jobs.trainer.hf_trainer import VideoTrainer
from jobs.trainer.run import train
from orchestrator.domain.failures import FailureKind
from tests.unit.jobs.conftest import BASE
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

pytestmark = pytest.mark.slow


@pytest.fixture
def base(smaller_base: Path) -> Path:
    """What is said of bad input does not depend on what is learned."""
    return smaller_base


def film(path: Path, codec: str, frames: int, wide: int = 64, high: int = 48, pixels: str = "yuv420p") -> Path:
    """A square that comes nearer, in any codec and size."""
    with av.open(str(path), "w") as out:
        stream = cast(VideoStream, out.add_stream(codec, rate=8))
        stream.width, stream.height, stream.pix_fmt = wide, high, pixels
        for i in range(frames):
            picture = np.full((high, wide, 3), 40, np.uint8)
            picture[high // 3 :, : (i + 1) * wide // (frames + 1)] = (240, 160, 60)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = i, Fraction(1, 8)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def clip_of(path: Path, number: int, **more: Any) -> ClipSpec:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ClipSpec(number, str(path), "zooming", "", "auto", digest, path.name, **more)


def result_of(spec: TrainSpec) -> dict[str, Any]:
    """What the job's page is told, by the way that the worker takes."""
    folder = Path(spec.folder)
    spec.save(folder / "spec.json")
    code = main(folder / "spec.json")
    result = json.loads((folder / "result.json").read_text())
    assert code == (1 if result["status"] == "failed" else 0)
    return result


def refused(spec: TrainSpec, kind: FailureKind = FailureKind.NOT_TRAINABLE) -> str:
    result = result_of(spec)
    assert result["status"] == "failed"
    assert result["details"] == "", "a person's mistake, not a fault of ours"
    assert result["failure"] == kind
    return str(result["error"])


def test_mixed_codecs_odd_sizes_and_clips_of_a_frame_or_two_train(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path
) -> None:
    made = [
        film(tmp_path / "mpeg4.avi", "mpeg4", 12),
        film(tmp_path / "vp9.webm", "libvpx-vp9", 9),
        film(tmp_path / "motion.avi", "mjpeg", 10, 61, 47, "yuvj444p"),
        film(tmp_path / "tall.mkv", "ffv1", 10, 33, 211, "yuv444p"),
        film(tmp_path / "one frame.mp4", "libx264", 1),
        film(tmp_path / "three frames.mp4", "libx264", 3),
    ]
    odd = [clip_of(path, 100 + number) for number, path in enumerate(made)]
    spec = make_spec(clips=[*clips, *(dataclasses.replace(clip, split="auto") for clip in odd)], optim={"epochs": 1})
    result = result_of(spec)
    assert (result["status"], result["error"]) == ("completed", "")
    assert all(math.isfinite(loss) for loss in losses(spec).values())
    assert result["summary"]["train_clips"] + result["summary"]["validation_clips"] == len(clips) + len(odd)


def test_a_clip_that_went_bad_since_it_was_added_is_named_and_the_checkpoint_stays(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    own = [dataclasses.replace(c, path=str(shutil.copy(c.path, tmp_path / c.name))) for c in clips]
    spec = make_spec(clips=own)
    # At the end of the first epoch: the second reads every clip.
    assert train(spec, recorder_of(spec), stop_after(4)).status == "stopped"
    before = latest_complete_checkpoint(Path(spec.folder) / "checkpoints")
    shutil.rmtree(Path(spec.cache_dir) / "frames")
    rotten = Path(own[2].path)
    content = bytearray(rotten.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
    rotten.write_bytes(content)
    assert refused(dataclasses.replace(spec, attempt=2), FailureKind.UNREADABLE_CLIP).startswith(
        f"{rotten.name} is damaged: "
    )
    assert before is not None
    assert latest_complete_checkpoint(Path(spec.folder) / "checkpoints") == before


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second epoch: the sentence names the step and the likely cause, and a resume goes on from the first."""
    spec, whole = make_spec(), VideoTrainer.compute_loss

    def broken(trainer: VideoTrainer, model: Any, *args: Any, **more: Any) -> Any:
        loss: Any = whole(trainer, model, *args, **more)
        return loss * torch.nan if model.training and trainer.state.global_step >= 5 else loss

    monkeypatch.setattr(VideoTrainer, "compute_loss", broken)
    said = refused(spec, FailureKind.DIVERGED)
    asked = spec.recipe["optim"]["learning_rate"]
    assert said.startswith(
        f"The loss was no longer a number at step 6. The learning rate {asked:g} is probably too high"
    )
    monkeypatch.undo()
    newest = latest_complete_checkpoint(Path(spec.folder) / "checkpoints")
    assert newest is not None
    assert newest.name == "checkpoint-4"
    assert result_of(dataclasses.replace(spec, attempt=2))["status"] == "completed"


def test_weights_that_diverged_in_a_step_with_a_finite_loss_are_not_saved(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last step of the second epoch: the checkpoint of the first stays the newest."""
    spec, whole = make_spec(optim={"epochs": 3}), VideoTrainer._save_checkpoint

    def broken(trainer: VideoTrainer, model: Any, trial: Any) -> None:
        if trainer.state.global_step > 4:
            with torch.no_grad():
                next(p for p in model.parameters() if p.requires_grad).view(-1)[0] = torch.inf
        whole(trainer, model, trial)

    monkeypatch.setattr(VideoTrainer, "_save_checkpoint", broken)
    asked = spec.recipe["optim"]["learning_rate"]
    assert refused(spec, FailureKind.DIVERGED).startswith(
        f"The loss was no longer a number at step 8. The learning rate {asked:g} is"
    )
    newest = latest_complete_checkpoint(Path(spec.folder) / "checkpoints")
    assert newest is not None
    assert newest.name == "checkpoint-4"


def test_a_class_only_in_validation_is_reported_and_an_unlisted_one_refused(
    make_spec: MakeSpec, clips: list[ClipSpec]
) -> None:
    other = dataclasses.replace(clips[0], id=99, label="spinning", split="validation")
    marked = [dataclasses.replace(clip, split="validation" if clip.id > 20 else "train") for clip in clips]
    spec = make_spec(clips=[*marked, other], optim={"epochs": 1})
    assert "'spinning', which the dataset does not list" in refused(spec)
    listed = dataclasses.replace(spec, class_names=["blinking", "spinning", "zooming"])
    assert result_of(listed)["status"] == "completed"
    notes = [record["message"] for record in records(listed) if record["kind"] == "note"]
    assert any("No clip to learn from shows 'spinning'" in note for note in notes)


def test_a_base_that_is_not_known_or_lost_its_weights(make_spec: MakeSpec, tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    shutil.copytree(BASE, strange)
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    assert "gpt2" in refused(dataclasses.replace(make_spec("strange-run"), model_path=str(strange)))
    bare = tmp_path / "bare"
    shutil.copytree(BASE, bare)
    for weights in bare.glob("*.safetensors"):
        weights.unlink()
    said = refused(dataclasses.replace(make_spec("bare-run"), model_path=str(bare)))
    assert said.startswith("The base model could not be loaded: ")
    assert said.endswith("Register it again.")
    assert str(tmp_path) not in said
    (strange / "config.json").write_text("{")
    said = refused(dataclasses.replace(make_spec("torn-run"), model_path=str(strange)))
    assert said == "The base model's config.json is missing or damaged. Register the model again."
