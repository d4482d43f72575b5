"""Clips dropped to be tried: their owner's only, checked, few, and gone after a while."""

import io
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from jobs.video.decode import decode_sample
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.errors import Invalid, NotFound, TooLarge, TooMany
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
    with pytest.raises(NotFound, match="for an hour after their last use"):
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


def test_a_clip_inside_a_question_stays_until_its_question_is_over(ada: Actor, home: Path) -> None:
    asked = [scratch.create_scratch(ada, "a.mp4", 1, asked=True)[0] for _ in range(scratch.MAX_ASKED_CLIPS)]
    with pytest.raises(TooMany):
        scratch.create_scratch(ada, "a.mp4", 1, asked=True)
    dropped = [scratch.create_scratch(ada, "a.mp4", 1)[0] for _ in range(scratch.MAX_CLIPS + 3)]
    left = {folder.name for folder in (home / "scratch" / str(ada.user_id)).iterdir()}
    assert left >= set(asked)
    assert len(left & set(dropped)) == scratch.MAX_CLIPS
    scratch.discard_scratch(ada, asked[0])
    scratch.create_scratch(ada, "a.mp4", 1, asked=True)
    for scratch_id in asked[1:]:  # left behind by a web process that ended
        os.utime(home / "scratch" / str(ada.user_id) / scratch_id, (1_000, 1_000))
    scratch.create_scratch(ada, "a.mp4", 1, asked=True)


def picture(colour: str, size: tuple[int, int] = (33, 25), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def test_pictures_become_the_frames_of_a_clip(ada: Actor) -> None:
    colours = ("#ff0000", "#00ff00", "#0000ff")
    scratch_id, path = scratch.create_scratch(ada, "clip.mkv", None, asked=True)
    scratch.write_frames(path, [picture(colour) for colour in colours], 4.0)
    row = scratch.finish_scratch(ada, scratch_id, "clip.mkv")
    assert (row.frames, row.fps, row.width, row.height) == (3, 4.0, 33, 25)
    frames = decode_sample(path, 3, {"height": 25, "width": 33}, None, None, 2, "clip.mkv").frames
    assert [tuple(frame[12, 16]) for frame in frames] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert sorted(file.name for file in path.parent.iterdir()) == ["asked", "clip.mkv", "facts.json", "strip.jpg"]


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ([], "may have 1 to 512"),
        ([picture("red"), picture("red", (33, 26))], "Picture 2 has 33 x 26 pixels"),
        ([b"GIF89a"], "Picture 1 is no JPEG, PNG or WebP"),
        ([picture("red"), b""], "Picture 2 is no"),
    ],
)
def test_pictures_that_are_no_clip_are_refused(ada: Actor, pictures: list[bytes], sentence: str) -> None:
    _, path = scratch.create_scratch(ada, "clip.mkv", None, asked=True)
    with pytest.raises(Invalid, match=sentence):
        scratch.write_frames(path, pictures, 2.0)
