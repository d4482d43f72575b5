"""Launching: a double click launches once, and each bad choice gets its sentence next to its field."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from jobs.runs.manifest import read_manifest
from jobs.runs.spec_writer import training_inputs
from jobs.trainer.split import split_clips
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ProblemType, Task
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor, Role
from orchestrator.services.datasets.curation.edits import Change, edit_clips
from orchestrator.services.db import session_scope
from orchestrator.services.queue import waiting_keys
from orchestrator.services.training.filters import job_choices
from orchestrator.services.training.jobs import delete_job, get_job, list_jobs
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.lifecycle import request_stop
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.sweeps import launch_sweep
from orchestrator.settings import get_settings
from tests.studio import RedisProcess, launch, make_person, make_things


def test_a_launch_is_queued_and_its_message_is_in_the_pool(redis_server: RedisProcess, ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    assert waiting_keys("cpu") == {f"{job_id}-a1"}


def test_a_launch_without_redis_still_stands(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        assert get_job(session, ada, job_id).status == "queued"


def test_ten_clicks_at_once_launch_one_job(redis_server: RedisProcess, ada: Actor) -> None:
    things = make_things(ada)
    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(lambda _: launch(ada, things, "one key"), range(10)))
    assert len(ids) == 1
    with session_scope() as session:
        assert session.exec(select(func.count()).select_from(TrainingJob)).one() == 1
    assert len(waiting_keys("cpu")) == 1


def test_the_same_key_of_another_person_is_another_job(ada: Actor) -> None:
    eve = make_person("eve")
    assert launch(ada, make_things(ada), "key") != launch(eve, make_things(eve), "key")


def problems_of(actor: Actor, dataset_id: int, model_id: int, **recipe: object) -> list[tuple[str, str]]:
    with session_scope() as session:
        return preflight(session, actor, dataset_id, model_id, parse_recipe(recipe)).problems


def test_preflight_counts(ada: Actor) -> None:
    with session_scope() as session:
        plan = preflight(session, ada, *make_things(ada, clips=10), parse_recipe({"optim": {"epochs": 3}}))
    assert plan.ok
    assert (plan.train_clips, plan.validation_clips, plan.steps) == (16, 4, 3)


def test_a_dataset_of_another_user_does_not_exist(ada: Actor) -> None:
    dataset_id, model_id = make_things(ada)
    [(field, sentence)] = problems_of(make_person("eve"), dataset_id, model_id)
    assert (field, sentence) == ("dataset_id", "This dataset does not exist any more. Choose another one.")


@pytest.mark.parametrize("status", [DatasetStatus.DRAFT, DatasetStatus.PROCESSING, DatasetStatus.ERROR])
def test_a_dataset_must_be_ready(ada: Actor, status: DatasetStatus) -> None:
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        dataset.status = status
        session.add(dataset)
    assert problems_of(ada, dataset_id, model_id)[0][0] == "dataset_id"


def test_task_and_model_must_fit(ada: Actor) -> None:
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        dataset.task = Task.CAPTIONING
        session.add(dataset)
    [(field, sentence)] = problems_of(ada, dataset_id, model_id)
    assert field == "model_id"
    assert sentence == "Tiny VideoMAE is made for classification, and Motions for captioning."


def test_unknown_layers_are_named(ada: Actor) -> None:
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        model = session.get_one(VideoModel, model_id)
        model.details = {"layers": [{"suffix": "query", "count": 4, "in_features": 128, "out_features": 128}]}
        session.add(model)
    assert not problems_of(ada, dataset_id, model_id, qlora={"target_modules": ["query"]})
    [(field, sentence)] = problems_of(ada, dataset_id, model_id, qlora={"target_modules": ["query", "nope"]})
    assert field == "qlora.target_modules"
    assert sentence == "Tiny VideoMAE has no layer nope. It has: query."


def test_a_refused_launch_leaves_nothing(ada: Actor) -> None:
    with session_scope() as session:
        with pytest.raises(Invalid):
            launch_job(session, ada, 99, 99, parse_recipe({}), "key")
        assert list_jobs(session, ada).total == 0


def test_list_searches_filters_and_pages(ada: Actor) -> None:
    things = make_things(ada)
    ids, eve = [launch(ada, things) for _ in range(5)], make_person("eve")
    with session_scope() as session:
        request_stop(session, ada, ids[0])
        assert [job.id for job in list_jobs(session, ada).items] == ids[::-1]
        assert list_jobs(session, ada, status="active").total == 4
        assert [job.id for job in list_jobs(session, ada, status="stopped").items] == [ids[0]]
        assert list_jobs(session, ada, q="videomae").total == 5
        assert [job.id for job in list_jobs(session, ada, q=f"#{ids[2]}").items] == [ids[2]]
        first = list_jobs(session, ada, sort="id", limit=2)
        second = list_jobs(session, ada, sort="id", limit=2, cursor=first.next)
        assert [job.id for job in first.items + second.items] == ids[:4]
        assert list_jobs(session, eve).total == 0
        with pytest.raises(Invalid):
            list_jobs(session, ada, status="flying")


def test_the_list_is_narrowed_by_dataset_model_and_owner(ada: Actor) -> None:
    eve, root = make_person("eve"), make_person("root")
    root = replace(root, role=Role.ADMIN)
    first, second = make_things(ada), make_things(ada)
    ids, hers = [launch(ada, first), launch(ada, second)], launch(eve, make_things(eve))
    with session_scope() as session:

        def found(actor: Actor, **wanted: Any) -> list[int]:
            return [row.id for row in list_jobs(session, actor, sort="id", **wanted).items]

        assert found(ada, dataset=first[0]) == [ids[0]]
        assert found(ada, model=second[1]) == [ids[1]]
        assert found(ada, dataset=first[0], model=second[1]) == []
        assert found(ada, owner="ada") == ids
        assert found(ada, owner="eve") == found(ada, owner="all") == [], "no user finds others' jobs"
        assert found(root) == []
        assert found(root, owner="eve") == [hers]
        seen = list_jobs(session, root, owner="all")
        assert (seen.total, {row.owner for row in seen.items}) == (3, {"ada", "eve"})
        assert all(row.recipe == row.summary.to_json() == {} for row in seen.items)
        with pytest.raises(NotFound):
            get_job(session, root, hers)
        assert job_choices(session, ada).owners == []
        assert [one for one, _ in job_choices(session, ada).datasets] == [second[0], first[0]]
        assert job_choices(session, root, "eve").owners == ["ada", "eve"]
        assert len(job_choices(session, root, "eve").models) == 1


def test_a_finished_job_is_deleted(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        request_stop(session, ada, job_id)
        delete_job(session, ada, job_id)
        with pytest.raises(NotFound):
            get_job(session, ada, job_id)


def test_one_clip_with_several_labels_decides_for_the_run(
    ada: Actor, redis_server: RedisProcess, tmp_path: Path
) -> None:
    """Preflight, job, sweep and spec say the same of the dataset's version; an older version stays what it was."""
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        clip_id = session.exec(select(Clip.id).where(Clip.dataset_id == dataset_id)).first() or 0
        edit_clips(session, ada, dataset_id, [clip_id], Change(labels=["left", "up"]))
    for version, problem_type, metric in (
        (0, ProblemType.MULTI_LABEL, "eval_map"),
        (1, ProblemType.SINGLE_LABEL, "eval_accuracy"),
    ):
        with session_scope() as session:
            plan = preflight(session, ada, dataset_id, model_id, parse_recipe({}), version)
            job = launch_job(session, ada, dataset_id, model_id, parse_recipe({}), dataset_version=version)
            assert plan.problem_type == job.summary.problem_type == problem_type
            assert any("several labels" in sentence for sentence in plan.advice) is (version == 0)
            grid: dict[str, list[Any]] = {"optim.seed": [1, 2]}
            sweep = launch_sweep(session, ada, dataset_id, model_id, {}, grid, dataset_version=version)
            assert sweep.metric == metric
            dataset, model = session.get_one(Dataset, dataset_id), session.get_one(VideoModel, model_id)
            inputs = training_inputs(session, dataset, version or 2, model, get_settings(), tmp_path)
            clips = read_manifest(tmp_path / inputs["manifest"], inputs["manifest_hash"])
            assert inputs["problem_type"] == problem_type
            assert inputs["class_names"] == (["left", "right", "up"] if version == 0 else ["left", "right"])
            assert plan.validation_clips == len(split_clips(clips, 0.2, 42).validation)
