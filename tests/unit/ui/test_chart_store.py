"""The chart's store keeps every point once, sees holes, and smooths as the live chart promises (run by Node itself)."""

import json
import subprocess
from pathlib import Path
from typing import Any

from orchestrator.stack.node import node_environment

SERIES = Path(__file__).parents[3] / "orchestrator" / "ui" / "charts" / "series.ts"


def _run(script: str) -> dict[str, Any]:
    code = (
        f"import {{ Curves, smooth }} from {json.dumps(SERIES.as_uri())};\n{script}\nconsole.log(JSON.stringify(out));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "--no-warnings", "-e", code],
        env=node_environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_points_are_stored_once_in_any_order() -> None:
    out = _run("""
        const c = new Curves();
        const item = (step, value) => [step, "loss", value];
        c.addBatch({ seq: 1, items: [item(2, 0.5), item(1, 0.9)] });
        c.addBatch({ seq: 2, items: [item(2, 0.5), item(3, 0.4)] });
        c.fill({ loss: [[1, 0.9], [2, 0.5], [3, 0.4]], eval_loss: [[3, 0.6]] });
        const out = { line: c.line("loss"), count: c.count, last: c.lastStep };
    """)
    assert out == {"line": [[1, 2, 3], [0.9, 0.5, 0.4]], "count": 4, "last": 3}


def test_a_gap_is_reported_with_the_last_number_received() -> None:
    out = _run("""
        const c = new Curves();
        const out = { first: c.addBatch({ seq: 7, items: [] }), next: c.addBatch({ seq: 8, items: [] }),
          hole: c.addBatch({ seq: 11, items: [] }), overlap: c.addBatch({ seq: 14, first_seq: 10, items: [] }),
          old: c.addBatch({ seq: 12, items: [] }), seq: c.lastSeq };
    """)
    assert out == {"first": None, "next": None, "hole": 8, "overlap": None, "old": None, "seq": 14}


def test_smoothing_has_no_pull_to_zero_at_the_start() -> None:
    out = _run("const out = { flat: smooth([2, 2, 2], 0.9), off: smooth([1, 3], 0), mixed: smooth([1, 0], 0.5) };")
    assert [round(value, 9) for value in out["flat"]] == [2, 2, 2]
    assert out["off"] == [1, 3]
    assert [round(value, 6) for value in out["mixed"]] == [1, 0.333333]


def test_a_value_that_is_no_number_is_left_out() -> None:
    out = _run("""
        const c = new Curves();
        c.fill({ loss: [[1, 0.5], [2, NaN], [3, Infinity], [4, 0.25]] });
        const out = { line: c.line("loss") };
    """)
    assert out == {"line": [[1, 4], [0.5, 0.25]]}
