"""Previews: what a browser plays is served as it is, anything else as an H.264 copy that is made once."""

from pathlib import Path

import av
import pytest

import jobs.datasets.transcode
from jobs.datasets.transcode import run_transcode
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus
from orchestrator.domain.errors import NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.doctor import apply_action, examine
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.media.previews import is_playable, make_preview, preview_source
from orchestrator.services.db import session_scope
from orchestrator.services.queue import transcode_key, waiting_keys
from orchestrator.settings import get_settings
from tests.fakes.videos import draw_clip, mpeg4
from tests.studio import RedisProcess, make_person


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


def test_a_copy_is_made_once(ada: Actor, tmp_path: Path) -> None:
    clip_id = stored(ada, "old.avi", "mpeg4", mpeg4(tmp_path / "old.avi").read_bytes())
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
    assert not is_playable(Path("a.mkv"), "h264")
    assert not is_playable(Path("a.mp4"), "hevc")


def test_a_broken_one_gets_a_sentence_and_leaves_nothing(ada: Actor) -> None:
    clip_id = stored(ada, "bad.avi", "mpeg4", b"RIFF not really")
    with session_scope() as session:
        source, copy = preview_source(session, ada, clip_id)
    assert copy
    with pytest.raises(NotFound, match="cannot be shown"):
        make_preview(source, copy)
    assert list(copy.parent.iterdir()) == []


def findings(actor: Actor, dataset_id: int) -> dict[str, list[int]]:
    with session_scope() as session:
        return {found.kind: found.clip_ids for found in examine(session, actor, dataset_id).findings}


def test_the_doctor_converts_all_at_once_in_turns(
    ada: Actor, redis_server: RedisProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip_id = stored(ada, "old.avi", "mpeg4", mpeg4(tmp_path / "old.avi").read_bytes())
    with session_scope() as session:
        dataset_id = session.get_one(Clip, clip_id).dataset_id
        names = {"new.mp4": ("h264", 1), "broken.avi": ("mpeg4", 2), "left-out.avi": ("mpeg4", 3)}
        for name, (codec, number) in names.items():
            path = dataset_folder(dataset_id) / "clips" / name
            path.write_bytes(b"RIFF not really")
            status = ClipStatus.QUARANTINED if number == 3 else ClipStatus.OK
            where = str(path.relative_to(get_settings().storage_dir))
            session.add(Clip(dataset_id=dataset_id, name=name, path=where, codec=codec, status=status, frames=16))
        session.flush()
    assert findings(ada, dataset_id)["unplayed"] == [clip_id, clip_id + 2]
    with session_scope() as session:
        assert apply_action(session, ada, dataset_id, "unplayed", "transcode") is None
    assert waiting_keys("prep") == {transcode_key(dataset_id)}

    monkeypatch.setattr(jobs.datasets.transcode, "TURN_S", 0.0)
    assert run_transcode(dataset_id) == "0 copies"  # no time is left, so that the rest goes behind what else waits
    assert transcode_key(dataset_id, 1) in waiting_keys("prep")
    monkeypatch.undo()
    assert run_transcode(dataset_id, 1) == "1 copies, the last ones"
    assert "unplayed" not in findings(ada, dataset_id)
    with session_scope() as session:
        assert "Every clip plays in a browser" in examine(session, ada, dataset_id).passed
        copy = preview_source(session, ada, clip_id)[1]
    assert copy
    assert copy.is_file()
    assert run_transcode(999) == "0 copies, the last ones"
