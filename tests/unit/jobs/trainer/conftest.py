"""A tiny real job for tests: drawn clips of two motions, the shipped base, a spec that trains in seconds."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.callbacks import StopCallback
from jobs.video.synthetic import demo_frames, write_mp4

MakeSpec = Callable[..., TrainSpec]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[ClipSpec]:
    folder = tmp_path_factory.mktemp("drawn")
    made: list[ClipSpec] = []
    for number in range(12):
        for motion in ("blinking", "zooming"):
            path = write_mp4(folder / f"{motion}-{number}.mp4", demo_frames(motion, number))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            made.append(ClipSpec(len(made) + 1, str(path), motion, "", "auto", digest, path.name))
    return made


@pytest.fixture
def make_spec(tmp_path: Path, clips: list[ClipSpec], base: Path) -> MakeSpec:
    def make(name: str = "run", attempt: int = 1, clips: list[ClipSpec] = clips, **recipe: Any) -> TrainSpec:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        optim = {"learning_rate": 2e-3, "batch_size": 6, "epochs": 2, "seed": 3, **recipe.pop("optim", {})}
        return TrainSpec(
            job_id=5,
            attempt=attempt,
            name=name,
            folder=str(folder),
            recipe={"optim": optim, "output_name": "tiny-run", **recipe},
            task="classification",
            class_names=["blinking", "zooming"],
            dataset_name="Two motions",
            model_name="VideoMAE tiny",
            model_path=str(base),
            model_revision="abc",
            family="videomae",
            architecture="VideoMAE",
            clips=clips,
            cache_dir=str(tmp_path / "cache"),
        )

    return make


@pytest.fixture
def stop_after() -> Iterator[Callable[[int], Callable[[], bool]]]:
    """`stop_after(4)` asks a run to stop as soon as its step 4 has ended."""
    with pytest.MonkeyPatch.context() as patch:
        original = StopCallback.on_step_end

        def make(step: int) -> Callable[[], bool]:
            ended: list[int] = []

            def on_step_end(self: StopCallback, args: Any, state: Any, control: Any, **others: Any) -> None:
                ended.append(state.global_step)
                original(self, args, state, control, **others)

            patch.setattr(StopCallback, "on_step_end", on_step_end)
            return lambda: bool(ended) and ended[-1] >= step

        yield make
