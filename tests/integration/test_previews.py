"""Previews: what a browser plays is served as it is, anything else as an H.264 copy that is made once."""

from pathlib import Path

import av
import pytest

from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.errors import NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.previews import make_preview, plays, preview_source
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.videos import draw_clip
from tests.workshop import make_person


def stored(actor: Actor, name: str, codec: str, data: bytes) -> int:
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name=name, status=DatasetStatus.READY)
        session.add(dataset)
        session.flush()
        path = dataset_folder(dataset.id or 0) / "clips" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        root = get_settings().storage_dir
        clip = Clip(dataset_id=dataset.id or 0, name=name, path=str(path.relative_to(root)), codec=codec)
        session.add(clip)
        session.flush()
        return clip.id or 0


def mpeg4(path: Path) -> bytes:
    with av.open(str(path), "w") as out, av.open(str(draw_clip(path.with_suffix(".mp4")))) as source:
        film = out.add_stream("mpeg4", rate=8)
        film.width, film.height, film.pix_fmt = 64, 64, "yuv420p"
        for frame in source.decode(video=0):
            frame.pict_type = av.video.frame.PictureType.NONE
            out.mux(film.encode(frame))
        out.mux(film.encode())
    return path.read_bytes()


def test_a_copy_is_made_once(ada: Actor, tmp_path: Path) -> None:
    clip_id = stored(ada, "old.avi", "mpeg4", mpeg4(tmp_path / "old.avi"))
    with session_scope() as session:
        source, copy = preview_source(session, ada, clip_id)
    assert copy
    made = make_preview(source, copy)
    with av.open(str(made)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == 16
    before = made.stat().st_mtime_ns
    assert make_preview(source, copy).stat().st_mtime_ns == before
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_what_browsers_play_is_left_as_it_is(ada: Actor, tmp_path: Path) -> None:
    clip_id = stored(ada, "new.mp4", "h264", draw_clip(tmp_path / "a.mp4").read_bytes())
    with session_scope() as session:
        assert preview_source(session, ada, clip_id)[1] is None
        with pytest.raises(NotFound):
            preview_source(session, make_person("eve"), clip_id)
    assert not plays(Path("a.mkv"), "h264")
    assert not plays(Path("a.mp4"), "hevc")


def test_a_broken_one_gets_a_sentence_and_leaves_nothing(ada: Actor) -> None:
    clip_id = stored(ada, "bad.avi", "mpeg4", b"RIFF not really")
    with session_scope() as session:
        source, copy = preview_source(session, ada, clip_id)
    assert copy
    with pytest.raises(NotFound, match="cannot be shown"):
        make_preview(source, copy)
    assert list(copy.parent.iterdir()) == []
