"""A stand-in trainer for tests of the queue: real process, real files, real records, no torch.

How it behaves is read from `fake.json` in the folder of all jobs, else it trains `steps` quick steps.
"""

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from jobs.processes.parent_death import die_with_declared_parent

stop = False


def on_term(_number: int, _frame: object) -> None:
    global stop
    stop = True


def save(folder: Path, state: dict[str, int]) -> None:
    """Writes a checkpoint aside and renames it: a kill in any moment leaves the one before it complete."""
    part = folder / ".part"
    part.mkdir(parents=True, exist_ok=True)
    content = json.dumps(state)
    (part / "state.json").write_text(content)
    (part / "whole.json").write_text(json.dumps({"state.json": [len(content), ""]}))
    part.replace(folder / f"checkpoint-{state['step']}")


def main(spec_path: str) -> int:
    spec = json.loads(Path(spec_path).read_text())
    folder = Path(spec["folder"])
    plan = {"steps": 20, "pause": 0.02, "deaf": False, "fail_at": 0, "once": "", "exit": 1, "saves": True}
    if (behaviour := folder.parents[1] / "fake.json").exists():
        plan |= json.loads(behaviour.read_text())
    signal.signal(signal.SIGTERM, signal.SIG_IGN if plan["deaf"] else on_term)
    state = {"step": 0, "seq": 0}
    own = sorted((folder / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))[-1:]
    for path in own if spec["restarted"] and own else spec["checkpoints"][:1]:
        state = json.loads((Path(path) / "state.json").read_text())
    metrics = folder / "metrics.jsonl"
    (folder / f"pid-{spec['attempt']}").write_text(str(os.getpid()))
    for step in range(state["step"] + 1, plan["steps"] + 1):
        time.sleep(plan["pause"])
        state = {"step": step, "seq": state["seq"] + 1}
        record = {
            "job": spec["job_id"],
            "attempt": spec["attempt"],
            "seq": state["seq"],
            "t": datetime.now(UTC).isoformat(),
            "kind": "metric",
            "step": step,
            "total": plan["steps"],
            "epoch": step / 10,
            "values": {"loss": 1 / step, "learning_rate": 1e-3},
        }
        with metrics.open("a") as file:
            file.write(json.dumps(record) + "\n")
        if plan["saves"]:
            save(folder / "checkpoints", state)
        if step == plan["fail_at"]:
            print("Traceback (most recent call last):\nValueError: the clips disagree", flush=True)
            return int(plan["exit"])
        if step == plan.get("kill_self_at") and (plan["once"] != "yes" or spec["attempt"] == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if stop:
            break
    status = "stopped" if stop else "completed"
    if plan.get("adapter") and not stop:
        (folder / "adapter").mkdir(exist_ok=True)
        (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
    result = {"attempt": spec["attempt"], "status": status, "summary": {"final_step": state["step"]}}
    (folder / "result.json").write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(sys.argv[1]))
    # Started warm: tied to the worker, waiting for the path of its spec.
    die_with_declared_parent()
    sys.exit(main(sys.stdin.readline().strip()))
