"""Turns the metrics of a real job into the curve of the landing page: `python scripts/record_run.py data/jobs/1/a1`."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "orchestrator" / "pages" / "shared" / "recorded_run.json"


def read(folder: Path) -> dict[str, Any]:
    """Every logged point, in order."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    records = [record for record in map(json.loads, lines) if record["kind"] == "metric"]

    def series(name: str) -> list[list[float]]:
        by_step = {record["step"]: record["values"][name] for record in records if name in record["values"]}
        return [[step, round(value, 4)] for step, value in sorted(by_step.items())]

    return {"loss": series("loss"), "validation": series("eval_loss"), "accuracy": series("eval_accuracy")}


def main(folder: Path, *facts: str) -> None:
    curves = read(folder)
    about = "One run of this trainer on the demo dataset, from its metrics.jsonl; nothing is smoothed or left out here."
    run = {"about": about, "steps": max(step for step, _ in curves["loss"]), "facts": list(facts), **curves}
    OUT.write_text(json.dumps(run, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
