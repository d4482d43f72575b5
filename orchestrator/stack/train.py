"""`./loreel train RECIPE.yaml`: launches a job on a running studio from a recipe file."""

import argparse
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from orchestrator.domain.numbers import parse_id
from orchestrator.settings import get_settings

_TIMEOUT_S = 60.0
_LISTED = 5


class Refused(Exception):
    """The job was not launched; the message says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """The command; 0 when the job was launched, 1 when it was not."""
    options = _parser().parse_args(arguments)
    try:
        recipe = Path(options.recipe).read_bytes()
        if not options.token:
            raise Refused("Give a token with --token or LOREEL_TOKEN: the settings page makes one.")
        headers = {"Authorization": f"Bearer {options.token}"}
        with httpx.Client(base_url=f"{options.url.rstrip('/')}/api/v1", headers=headers, timeout=_TIMEOUT_S) as api:
            job = launch(api, recipe, options)
    except OSError as error:
        return _fail(f"{options.recipe} cannot be read: {error.strerror or error}.")
    except httpx.HTTPError as error:
        return _fail(f"{options.url} does not answer ({type(error).__name__}). Is the studio running there?")
    except Refused as error:
        return _fail(str(error))
    if job is not None:
        _say(f"Launched {job['name']} (job {job['id']}): {options.url.rstrip('/')}/jobs/{job['id']}")
    return 0


def launch(api: httpx.Client, recipe: bytes, options: argparse.Namespace) -> dict[str, Any] | None:
    """Reads the recipe, checks it and launches it.

    Returns:
        The job; None after a check alone.

    Raises:
        Refused: a line was not taken, or the launch was refused.
    """
    read = _answer(api.post("/recipes/parse", content=recipe, headers={"Content-Type": "application/yaml"}))
    if read["problems"]:
        lines = [f"line {one['line']}: {one['field']}: {one['message']}" for one in read["problems"]]
        raise Refused("\n  ".join([f"{options.recipe} was not taken:", *lines]))
    if read["missing"]:
        _say(f"Not in the file, so at the default for this base and dataset: {', '.join(read['missing'])}.")
    body = read["given"] | {
        "dataset_id": _id_of(api, "datasets", options.dataset),
        "model_id": _id_of(api, "models", options.model),
    }
    if options.name:
        body["output_name"] = options.name
    if options.dataset_version:
        body["dataset_version"] = options.dataset_version
    if not options.check:
        return _answer(api.post("/jobs", json=body, headers={"Idempotency-Key": str(uuid.uuid4())}))
    plan = _answer(api.post("/jobs/preflight", json=body))
    if plan["problems"]:
        raise Refused("\n  ".join(["It would be refused:", *(_problem_line(problem) for problem in plan["problems"])]))
    _say(f"It can be launched: {plan['steps']} steps on {plan['train_clips']} clips.")
    return None


def _id_of(api: httpx.Client, noun: str, given: str) -> str:
    """An id, or the id of the one record with this name."""
    if number := parse_id(given):
        return str(number)
    found = _answer(api.get(f"/{noun}", params={"q": given, "limit": 100}))["items"]
    same = [row for row in found if row["name"] == given]
    if len(same) == 1:
        return str(same[0]["id"])
    named = ", ".join(f"{row['name']} (id {row['id']})" for row in (same or found)[:_LISTED])
    many = f"{len(same)} {noun} are called {given!r}. Give the id of one"
    why = many if same else f"No {noun[:-1]} is called {given!r}"
    raise Refused(f"{why}{': ' if named else ''}{named}.")


def _answer(response: httpx.Response) -> Any:
    """The body of an answer.

    Raises:
        Refused: with the sentences of a refusal.
    """
    if response.is_success:
        return response.json()
    try:
        problem = response.json()
    except ValueError:
        raise Refused(f"{response.url} answered with status {response.status_code}.") from None
    errors = [line for error in problem.get("errors", []) if (line := _problem_line(error)) != problem["detail"]]
    raise Refused("\n  ".join([problem["detail"], *errors]))


def _problem_line(error: dict[str, str]) -> str:
    return f"{error['field']}: {error['message']}" if error["field"] else error["message"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./loreel train", description="Launches a job on a running studio from a recipe file."
    )
    parser.add_argument("recipe", help="a recipe.yaml, as each adapter carries one")
    parser.add_argument("--dataset", required=True, metavar="ID", help="id or name of the dataset")
    parser.add_argument("--model", required=True, metavar="ID", help="id or name of the base model")
    parser.add_argument("--dataset-version", type=int, metavar="N", help="an older version of the dataset")
    parser.add_argument("--name", help="another name for the adapter than the file's")
    parser.add_argument("--check", action="store_true", help="say whether it can be launched, and launch nothing")
    default = os.environ.get("LOREEL_URL") or f"http://localhost:{get_settings().port}"
    parser.add_argument("--url", default=default, help="the studio (LOREEL_URL, else this machine's)")
    parser.add_argument("--token", default=os.environ.get("LOREEL_TOKEN", ""), help="an API token (LOREEL_TOKEN)")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(text: str) -> int:
    sys.stderr.write(f"loreel: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
