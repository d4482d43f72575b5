"""Clips dropped to be tried: their owner's only, checked, few, and gone after a while."""

import os
import time
from pathlib import Path

import pytest

from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.errors import Invalid, NotFound, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services.playground import scratch
from orchestrator.settings import get_settings
from tests.studio import make_person


def drop(actor: Actor, content: bytes, name: str = "clip.mp4") -> scratch.ScratchRow:
    scratch_id, path = scratch.create_scratch(actor, name, len(content))
    path.write_bytes(content)
    return scratch.finish_scratch(actor, scratch_id, name)


def test_a_dropped_clip_is_looked_over_and_its_owners_only(ada: Actor, tmp_path: Path) -> None:
    film = write_mp4(tmp_path / "a.mp4", demo_frames("zooming", 1)).read_bytes()
    row = drop(ada, film, "../../etc/My clip.MP4")
    assert row.name == "My clip.MP4"
    assert row.frames > 4
    assert scratch.find_scratch(ada, row.id) == row
    assert scratch.scratch_file(ada, row.id, strip=True).is_file()
    for stranger, scratch_id in ((make_person("bob"), row.id), (ada, "../" * 8), (ada, "b" * 24)):
        with pytest.raises(NotFound):
            scratch.find_scratch(stranger, scratch_id)
    assert scratch.delete_expired_scratch() == 0
    assert scratch.delete_expired_scratch(time.time() + scratch.LIFETIME_S + 5) == 1
    with pytest.raises(NotFound, match="kept for an hour"):
        scratch.find_scratch(ada, row.id)


def test_what_is_no_clip_leaves_nothing(ada: Actor, home: Path) -> None:
    for content, name in ((b"no film", "a.mp4"), (b"", "b.mp4")):
        with pytest.raises(Invalid):
            drop(ada, content, name)
    with pytest.raises(Invalid, match="not a video by its name"):
        scratch.create_scratch(ada, "run.exe", 10)
    with pytest.raises(TooLarge):
        scratch.create_scratch(ada, "a.mp4", get_settings().playground_clip_bytes + 1)
    assert not list((home / "scratch").glob("*/*"))


def test_the_least_recently_used_goes_when_there_are_many(ada: Actor, home: Path) -> None:
    made = [scratch.create_scratch(ada, "a.mp4", 1)[0] for _ in range(scratch.MAX_CLIPS)]
    for age, scratch_id in enumerate(made):
        folder = home / "scratch" / str(ada.user_id) / scratch_id
        os.utime(folder, (1_000 + age, 1_000 + age))
    fresh, _ = scratch.create_scratch(ada, "a.mp4", 1)
    left = {folder.name for folder in (home / "scratch" / str(ada.user_id)).iterdir()}
    assert left == {*made[1:], fresh}
