import json
import os
import sys

import httpx

ENDED = ("completed", "failed", "stopped")


def status_of(api: httpx.Client, job: str) -> str:
    return api.get(f"/jobs/{job}").raise_for_status().json()["status"]


def follow(api: httpx.Client, job: str) -> str:
    """Prints what happens live and returns how it ended."""
    with api.stream("GET", f"/jobs/{job}/events", timeout=60) as answer:
        for line in answer.raise_for_status().iter_lines():
            if line.startswith(":"):  # nothing happened for some seconds
                event = {"kind": "status", "status": status_of(api, job)}
            elif line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
            else:
                continue
            if event["kind"] == "metric" and "loss" in event["values"]:
                print(f"step {event['step']}: loss {event['values']['loss']:.3f}")
            if event["kind"] == "status" and event["status"] in ENDED:
                break
    return status_of(api, job)


def main(dataset: str, model: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['LOREEL_TOKEN']}"}
    body = {
        "dataset_id": dataset,
        "model_id": model,
        "output_name": "from-python",
        "qlora": {"r": 16, "alpha": 32},
        "optim": {"epochs": 10, "learning_rate": 2e-3},
    }
    with httpx.Client(base_url=f"{os.environ['LOREEL_URL']}/api/v1", headers=headers, timeout=60) as api:
        plan = api.post("/jobs/preflight", json=body).raise_for_status().json()
        for problem in plan["problems"]:
            print(f"{problem['field']}: {problem['message']}", file=sys.stderr)
        if not plan["ok"]:
            sys.exit(1)
        print(f"{plan['steps']} steps, {plan['memory_bytes'] / 1e6:.0f} MB")
        job = api.post("/jobs", json=body).raise_for_status().json()["id"]
        status = follow(api, job)
        found = api.get(f"/jobs/{job}").raise_for_status().json()
        print(f"Job {job} {status} at step {found['step']}. {found['error']}")
        if status != "completed":
            sys.exit(1)
        with open(f"adapter-{job}.zip", "wb") as file, api.stream("GET", f"/jobs/{job}/download") as answer:
            for piece in answer.raise_for_status().iter_bytes():
                file.write(piece)
        print(f"adapter-{job}.zip")


main(*sys.argv[1:3])
