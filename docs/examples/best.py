import os
import sys

import httpx


def main(task: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['LOREEL_TOKEN']}"}
    with httpx.Client(base_url=f"{os.environ['LOREEL_URL']}/api/v1", headers=headers, timeout=60) as api:
        wanted = {"task": task, "limit": 200}
        versions = api.get("/adapters", params=wanted).raise_for_status().json()["items"]
    for version in sorted(versions, key=lambda version: version["value"] or 0, reverse=True):
        figure = "not evaluated" if version["value"] is None else f"{version['metric_label']} {version['value']:.3f}"
        print(f"{version['name']} v{version['version']}: {figure}")


main(sys.argv[1])
