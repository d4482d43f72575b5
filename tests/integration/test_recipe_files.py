"""A recipe.yaml is put in again: by REST, which names each bad line, and by the command, which launches it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.recipe_text import dump_recipe
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth.limits import forget_clients
from orchestrator.stack import train
from tests.api_client import SITE, refusal, sign_in
from tests.openapi import shared_api
from tests.studio import make_things

PARSE = "/api/v1/recipes/parse"
RECIPE = parse_recipe({"output_name": "night-run", "qlora": {"r": 24}, "optim": {"learning_rate": 3.21987654e-4}})


@pytest.fixture
def ada_client(redis_server: object) -> TestClient:
    forget_clients()
    return sign_in("ada")


@pytest.fixture
def things(ada_client: TestClient) -> tuple[int, int]:
    return make_things(Actor(int(ada_client.get("/api/v1/me").json()["id"]), "ada", "", Role.ADMIN))


@pytest.fixture
def command(
    ada_client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs the command against the app: its exit code, and what it printed."""
    token = ada_client.post("/api/v1/tokens", json={"name": "shell"}).json()["token"]

    def client(base_url: str, headers: dict[str, str], timeout: float) -> TestClient:
        assert base_url == f"{SITE}/api/v1"
        return TestClient(shared_api(), base_url=base_url, headers=headers)

    monkeypatch.setattr(train.httpx, "Client", client)
    monkeypatch.setenv("LOREEL_TOKEN", token)

    def run(*arguments: str) -> tuple[int, str]:
        code = train.main([*arguments, "--url", SITE])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_a_recipe_of_a_job_is_put_in_again(ada_client: TestClient, things: tuple[int, int]) -> None:
    read = ada_client.post(PARSE, content=dump_recipe(RECIPE), headers={"Content-Type": "application/yaml"}).json()
    assert (read["ok"], read["problems"], read["missing"]) == (True, [], [])
    assert Recipe.model_validate(read["recipe"]) == RECIPE
    job = ada_client.post("/api/v1/jobs", json=read["recipe"] | {"dataset_id": things[0], "model_id": things[1]})
    assert job.status_code == 201
    assert Recipe.model_validate(job.json()["recipe"]) == RECIPE
    again = ada_client.post(PARSE, json=job.json()["recipe"]).json()
    assert Recipe.model_validate(again["recipe"]) == RECIPE


def test_bad_lines_are_named_and_the_rest_is_read(ada_client: TestClient) -> None:
    read = ada_client.post(PARSE, content="qlora:\n  r: 24\n  lora_alpha: 3\noptim:\n  epochs: 0\n").json()
    assert read["ok"] is False
    assert [(line["line"], line["field"], line["value"]) for line in read["problems"]] == [
        (3, "qlora.lora_alpha", "3"),
        (5, "optim.epochs", "0"),
    ]
    assert (read["recipe"]["qlora"]["r"], read["recipe"]["optim"]["epochs"]) == (24, Recipe().optim.epochs)


@pytest.mark.parametrize(
    ("body", "status"),
    [("a: &x 1\nb: *x", 422), ("#" * 70_000, 413), ("#" * 2_000_000, 413), (b"\xff", 422), ("", 422)],
)
def test_what_is_no_recipe_is_refused(ada_client: TestClient, body: Any, status: int) -> None:
    refusal(ada_client.post(PARSE, content=body), status)


def test_the_command_launches_a_recipe(
    command: Callable[..., tuple[int, str]], ada_client: TestClient, things: tuple[int, int], tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(dump_recipe(RECIPE))
    code, printed = command(str(file), "--dataset", "Motions", "--model", str(things[1]), "--check")
    assert (code, "It can be launched" in printed) == (0, True)
    code, printed = command(str(file), "--dataset", "Motions", "--model", "Tiny VideoMAE")
    job = ada_client.get("/api/v1/jobs").json()["items"][0]
    assert (code, printed.strip()) == (0, f"Launched night-run (job {job['id']}): {SITE}/jobs/{job['id']}")
    assert Recipe.model_validate(job["recipe"]) == RECIPE
    command(str(file), "--dataset", str(things[0]), "--model", str(things[1]), "--name", "other")
    assert ada_client.get("/api/v1/jobs").json()["total"] == 2


def test_the_command_says_what_is_wrong(
    command: Callable[..., tuple[int, str]], ada_client: TestClient, things: tuple[int, int], tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("qlora:\n  r: 24\n  lora_alpha: 3\n")
    code, printed = command(str(file), "--dataset", "Motions", "--model", "Tiny VideoMAE")
    assert code == 1
    assert "line 3: qlora.lora_alpha: There is no parameter 'qlora.lora_alpha'. Did you mean qlora.alpha?" in printed
    file.write_text("qlora:\n  target_modules: [nope]\n")
    for extra, sentence in (
        (("--dataset", "Motion", "--model", "1"), "No dataset is called 'Motion': Motions (id "),
        (("--dataset", "Motions", "--model", "99", "--check"), "model_id: This model does not exist any more."),
        (("--dataset", "99", "--model", "1"), "This dataset does not exist any more."),
    ):
        code, printed = command(str(file), *extra)
        assert (code, sentence in printed) == (1, True), printed
    assert "Not in the file, so at the default for this base and dataset: training_type, adapter, qlora.bits" in printed
    code, printed = command(str(tmp_path / "none.yaml"), "--dataset", "1", "--model", "1")
    assert (code, "none.yaml cannot be read: No such file" in printed) == (1, True)
    code, printed = command(str(file), "--dataset", "1", "--model", "1", "--token", "wrong")
    assert code == 1
    assert ada_client.get("/api/v1/jobs").json()["total"] == 0


def test_the_command_needs_a_token_and_a_studio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("{}")
    monkeypatch.delenv("LOREEL_TOKEN", raising=False)
    assert train.main([str(file), "--dataset", "1", "--model", "1"]) == 1
    assert "LOREEL_TOKEN" in capsys.readouterr().err
    address = "http://127.0.0.1:1"
    assert train.main([str(file), "--dataset", "1", "--model", "1", "--url", address, "--token", "t"]) == 1
    assert "http://127.0.0.1:1 does not answer" in capsys.readouterr().err


def test_the_defaults_of_each_field_are_answered(ada_client: TestClient, things: tuple[int, int]) -> None:
    dataset_id, model_id = things
    answer = ada_client.get("/api/v1/recipes/defaults", params={"dataset_id": dataset_id, "model_id": model_id})
    assert answer.status_code == 200
    found = {item["field"]: item for item in answer.json()["items"]}
    assert found.keys() >= {"optim.learning_rate", "qlora.rank_pattern", "data.frame_shape", "eval.keep"}
    assert all(item["source"].endswith(".") for item in found.values())
    assert found["qlora.rank_pattern"]["value"] in (None, {})
