"""A rehearsal runs two real steps in a process of its own, and the preflight then speaks of what was measured."""

from pathlib import Path

import pytest
from sqlmodel import select

from jobs.runs.rehearsal import run_rehearsal, write_spec
from jobs.runs.spec import TrainSpec
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.rehearsals import Rehearsal
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.datasets.curation.edits import Change, update_clip
from orchestrator.services.db import session_scope
from orchestrator.services.models.catalog import apply_facts
from orchestrator.services.models.inspect import inspect_model
from orchestrator.services.queue import waiting_keys
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.rehearsals import RehearsalRow, claim, finish, get_rehearsal, request_rehearsal
from orchestrator.settings import ROOT
from tests.studio import RedisProcess, make_person, make_things

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
RECIPE = {"optim": {"batch_size": 4}, "qlora": {"r": 4}}


def beat() -> None:
    with session_scope() as session:
        session.add(Worker(name="prep", host="here", device_class="cpu", stats={"memory_total": 8 * 10**9}))


def real_things(actor: Actor, folder: Path) -> tuple[int, int]:
    """Drawn clips of two motions, and the shipped base that classifies."""
    dataset_id, model_id = make_things(actor, clips=5, model_path=str(BASE))
    with session_scope() as session:
        facts, model = inspect_model(BASE), session.get_one(VideoModel, model_id)
        apply_facts(model, BASE, facts)
        for number, clip in enumerate(session.exec(select(Clip).where(Clip.dataset_id == dataset_id)).all()):
            motion = "blinking" if clip.label == "left" else "zooming"
            clip.path = str(write_mp4(folder / f"{number}.mp4", demo_frames(motion, number)))
    return dataset_id, model_id


def ask(actor: Actor, things: tuple[int, int], **recipe: object) -> RehearsalRow:
    with session_scope() as session:
        return request_rehearsal(session, actor, *things, parse_recipe(RECIPE | recipe))


def plan(actor: Actor, things: tuple[int, int], recipe: Recipe | None = None):
    with session_scope() as session:
        return preflight(session, actor, *things, recipe or parse_recipe(RECIPE))


@pytest.mark.slow
def test_two_steps_measure_what_the_preflight_then_says(
    redis_server: RedisProcess, ada: Actor, home: Path, tmp_path: Path
) -> None:
    beat()
    things = real_things(ada, tmp_path)
    before = plan(ada, things)
    assert not before.measured
    row = ask(ada, things)
    assert ask(ada, things).id == row.id
    assert f"rehearsal-{row.id}" in waiting_keys("prep")
    with pytest.raises(Conflict, match="Another rehearsal"):
        ask(ada, things, optim={"batch_size": 2})
    assert run_rehearsal(row.id) == "done"
    assert run_rehearsal(row.id) == "not ours"
    with session_scope() as session:
        found = get_rehearsal(session, ada, row.id)
    assert found.status == "done"
    assert found.result["frames"] == [8, 48, 48]
    assert {"query", "key", "value", "dense"} == {layer["suffix"] for layer in found.result["targets"]}
    after = plan(ada, things)
    assert after.measured
    assert after.memory_bytes == found.result["memory_bytes"] > 300 * 10**6
    assert after.seconds > after.steps * found.result["step_s"]
    # Epochs and rate change nothing that was measured; another batch does, and is carried over from it.
    assert plan(ada, things, parse_recipe({"optim": {"batch_size": 4, "epochs": 2}, "qlora": {"r": 4}})).measured
    other = plan(ada, things, parse_recipe({"optim": {"batch_size": 64}, "qlora": {"r": 4}}))
    assert not other.measured
    assert other.memory_bytes > after.memory_bytes
    assert not (home / "rehearsals" / str(row.id)).exists()


def test_a_rehearsal_measures_the_version_that_the_recipe_chose(
    redis_server: RedisProcess, ada: Actor, tmp_path: Path
) -> None:
    beat()
    things = real_things(ada, tmp_path)
    with session_scope() as session:
        first = session.exec(select(Clip).where(Clip.dataset_id == things[0])).first()
        assert first is not None
        update_clip(session, ada, first.id or 0, Change(label="right"))
    spec = _spec_of(ada, things, 1, tmp_path)
    assert sorted(clip.label for clip in spec.clips) == ["left"] * 5 + ["right"] * 5
    newest = _spec_of(ada, things, 0, tmp_path)
    assert sorted(clip.label for clip in newest.clips) == ["left"] * 4 + ["right"] * 6


def test_an_edit_after_the_request_does_not_change_what_is_measured(
    redis_server: RedisProcess, ada: Actor, tmp_path: Path
) -> None:
    beat()
    things = real_things(ada, tmp_path)
    row = ask(ada, things)
    with session_scope() as session:
        first = session.exec(select(Clip).where(Clip.dataset_id == things[0])).first()
        assert first is not None
        update_clip(session, ada, first.id or 0, Change(label="right"))
    assert sorted(clip.label for clip in _written(row.id, tmp_path).clips) == ["left"] * 5 + ["right"] * 5


def test_a_measurement_of_another_version_is_no_exact_one(redis_server: RedisProcess, ada: Actor) -> None:
    beat()
    things = make_things(ada)
    with session_scope() as session:
        row = request_rehearsal(session, ada, *things, parse_recipe(RECIPE))
    with session_scope() as session:
        assert claim(session, row.id, "cpu") is not None
        assert finish(session, row.id, {"memory_bytes": 10**9, "step_s": 1.0, "revision": ""})
    assert plan(ada, things).measured
    with session_scope() as session:
        first = session.exec(select(Clip).where(Clip.dataset_id == things[0])).first()
        assert first is not None
        update_clip(session, ada, first.id or 0, Change(label="right"))
    assert not plan(ada, things).measured
    with session_scope() as session:
        assert preflight(session, ada, *things, parse_recipe(RECIPE), 1).measured


def _spec_of(actor: Actor, things: tuple[int, int], version: int, folder: Path) -> TrainSpec:
    """What the trial of this version is given; the request is withdrawn."""
    with session_scope() as session:
        row = request_rehearsal(session, actor, *things, parse_recipe(RECIPE), version)
    spec = _written(row.id, folder)
    with session_scope() as session:
        session.delete(session.get_one(Rehearsal, row.id))
    return spec


def _written(rehearsal_id: int, folder: Path) -> TrainSpec:
    return TrainSpec.load(write_spec(rehearsal_id, folder))


def test_nobody_reads_anothers_rehearsal(redis_server: RedisProcess, ada: Actor) -> None:
    beat()
    row = ask(ada, make_things(ada))
    with session_scope() as session, pytest.raises(NotFound):
        get_rehearsal(session, make_person("eve"), row.id)


def test_without_a_worker_it_says_so(redis_server: RedisProcess, ada: Actor) -> None:
    with pytest.raises(Conflict, match="No worker"):
        ask(ada, make_things(ada))


def test_what_cannot_be_launched_is_not_rehearsed_but_what_only_may_not_fit_is(
    redis_server: RedisProcess, ada: Actor
) -> None:
    beat()
    things = make_things(ada)
    with pytest.raises(Invalid):
        ask(ada, (things[0], 999))
    with session_scope() as session:
        session.get_one(Worker, "prep").stats = {"memory_total": 10**6}
    refused = plan(ada, things)
    assert refused.guesses == ("optim.batch_size",)
    assert not refused.ok
    assert ask(ada, things).status == "waiting"


def test_a_lost_message_keeps_no_rehearsal_waiting(redis_server: RedisProcess, ada: Actor) -> None:
    from orchestrator.domain.rehearsals import Rehearsal
    from orchestrator.services.training.rehearsals import TIMEOUT

    beat()
    row = ask(ada, make_things(ada))
    with session_scope() as session:
        session.get_one(Rehearsal, row.id).created_at = utcnow() - 2 * TIMEOUT
    with session_scope() as session:
        assert get_rehearsal(session, ada, row.id).error.startswith("No worker finished")


def test_a_refusal_of_the_trial_itself_names_its_field(redis_server: RedisProcess, ada: Actor, tmp_path: Path) -> None:
    beat()
    row = ask(ada, real_things(ada, tmp_path))
    # As asked by an older web process, which did not check frames before.
    with session_scope() as session:
        asked = session.get_one(Rehearsal, row.id)
        asked.recipe = asked.recipe | {"data": {"frames": 4}}
        session.add(asked)
    assert run_rehearsal(row.id) == "failed"
    with session_scope() as session:
        found = get_rehearsal(session, ada, row.id)
    assert (found.error_field, found.result) == ("data.frames", {})
    assert "frames" in found.error


def test_a_broken_base_ends_in_a_sentence(redis_server: RedisProcess, ada: Actor) -> None:
    beat()
    row = ask(ada, make_things(ada, model_path="/nowhere"))
    assert run_rehearsal(row.id) == "failed"
    with session_scope() as session:
        assert "not there any more" in get_rehearsal(session, ada, row.id).error
