"""What the inspector draws is what the trainer decodes: the same frames, the same pixels, one's own clips only."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image
from sqlmodel import Session, select

from jobs.families.registry import read_base, resolve
from jobs.video.cache import ClipFile, FrameCache
from jobs.video.probe_clips import write_flickering
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.recipe_data import FrameShape
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.media import frame_preview
from orchestrator.services.db import session_scope
from orchestrator.settings import ROOT, get_settings
from tests.fakes.uploads import uploaded_dataset
from tests.fakes.videos import draw_clip
from tests.ingest import import_now
from tests.studio import make_person
from tests.unit.jobs.families.published import make_published

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"


@pytest.fixture
def things(ada: Actor, tmp_path: Path) -> tuple[int, int]:
    """(a clip, a model that is ready)"""
    files = {f"{label}/{i}.mp4": draw_clip(tmp_path / f"{label}{i}.mp4", frames=20, shade=9 * i, dx=dx).read_bytes()
             for label, dx in (("left", 1), ("right", 3)) for i in range(2)}  # fmt: skip
    dataset_id = uploaded_dataset(ada, files)
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        model = VideoModel(
            owner_id=ada.user_id,
            name="tiny",
            model_type=ModelType.CLASSIFICATION,
            architecture="VideoMAE",
            source=ModelSource.PATH,
            status=ModelStatus.READY,
            path=str(BASE),
        )
        session.add(model)
        session.flush()
        return session.exec(select(Clip.id)).first() or 0, model.id or 0


def preview_of(
    session: Session, actor: Actor, clip_id: int, model_id: int, settings: frame_preview.FrameSettings
) -> Any:
    return frame_preview.render_frame_preview(
        frame_preview.plan_frame_preview(session, actor, clip_id, model_id, settings)
    )


def test_the_sheet_is_what_the_trainer_decodes(
    ada: Actor, things: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_scope() as session:
        found = preview_of(session, ada, *things, frame_preview.FrameSettings())
        clip = session.get_one(Clip, things[0])
        path = get_settings().storage_dir / clip.path
    base = read_base(BASE)
    sampling = resolve(base).sampling(base, parse_recipe({}))
    trained = FrameCache(tmp_path / "frames", sampling).frames(ClipFile(path, "x", "x"))
    assert (len(found.indices), found.height, found.width) == trained.shape[:3]
    with Image.open(found.sheet) as picture:
        pixels = np.asarray(picture)
    for number, frame in enumerate(trained):
        top, left = number // found.columns * found.height, number % found.columns * found.width
        assert np.array_equal(pixels[top : top + found.height, left : left + found.width], frame)
    assert found.times == [round(index / 8, 3) for index in found.indices]
    # Asked again, nothing is drawn again.
    monkeypatch.setattr(frame_preview, "_run_renderer", lambda _: {})
    with session_scope() as session:
        assert preview_of(session, ada, *things, frame_preview.FrameSettings()) == found


def test_invalid_settings_are_reported(ada: Actor, things: tuple[int, int]) -> None:
    bob = make_person("bob")
    with session_scope() as session:
        with pytest.raises(Invalid):
            preview_of(session, ada, *things, frame_preview.FrameSettings(frames=5))
        with pytest.raises(Invalid) as refused:
            preview_of(session, ada, *things, frame_preview.FrameSettings(size=64))
        assert refused.value.field == "size"
        odd: dict[str, Any]
        for odd in ({"frames": 1_000}, {"frames": 0}, {"size": 8}):
            with pytest.raises(Invalid, match="1 to 256") as refused:
                preview_of(session, ada, *things, frame_preview.FrameSettings(**odd))
            assert refused.value.field in odd
        with pytest.raises(NotFound):
            preview_of(session, bob, *things, frame_preview.FrameSettings())
    assert not list((get_settings().storage_dir / "datasets").rglob("*.part"))


def test_a_preview_knows_the_shape_of_frames_and_their_tokens(ada: Actor, things: tuple[int, int]) -> None:
    with session_scope() as session:
        base = make_published("qwen2_vl", get_settings().data_dir / "qwen")
        session.get_one(VideoModel, things[1]).path = str(base)
        clip = session.get_one(Clip, things[0])
        write_flickering(get_settings().storage_dir / clip.path, 128, 64, 2.0, 10, False)
        session.get_one(Dataset, clip.dataset_id).task = Task.CAPTIONING
    shapes = {}
    for name, settings in {
        "kept": {"max_frames": 4, "frame_tokens": 24},
        "fewer": {"max_frames": 2, "frame_tokens": 24},
        "square": {"frames": 4, "size": 56, "frame_shape": FrameShape.SQUARE},
    }.items():
        with session_scope() as session:
            found = preview_of(session, ada, *things, frame_preview.FrameSettings(**settings))
        shapes[name] = (len(found.indices), found.width > found.height)
    assert shapes == {"kept": (4, True), "fewer": (2, True), "square": (4, False)}
    with session_scope() as session:
        for field, value in (("min_frames", 1), ("frame_tokens", 16384)):
            with pytest.raises(Invalid) as refused:
                preview_of(session, ada, *things, frame_preview.FrameSettings(**cast(Any, {field: value})))
            assert refused.value.field == field
