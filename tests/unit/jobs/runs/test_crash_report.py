"""A dead trainer gets the right sentence, and only a death from outside is tried again."""

import pytest

from jobs.runs.crash_report import explain_crash
from orchestrator.domain.failures import FailureKind

CRASH, DISK_FULL = FailureKind.CRASH, FailureKind.DISK_FULL
MACHINE_LOST, OUT_OF_MEMORY = FailureKind.MACHINE_LOST, FailureKind.OUT_OF_MEMORY
TRACE = ["Traceback (most recent call last):", '  File "run.py", line 3, in <module>']

ROOT = ["Root Cause (first observed failure):", "[0]:", "  rank      : 1 (local_rank: 1)"]
OTHER = ["  traceback : Signal 15 (SIGTERM) received by PID 8"]


@pytest.mark.parametrize(
    ("code", "lines", "ooms", "sentence", "kind"),
    [
        (-9, [], 0, "killed by signal 9 (SIGKILL)", MACHINE_LOST),
        (-15, [], 0, "killed by signal 15 (SIGTERM)", MACHINE_LOST),
        (-9, [], 1, "ran out of memory", OUT_OF_MEMORY),
        (-11, [], 0, "crashed with signal 11 (SIGSEGV)", CRASH),
        (
            1,
            [*TRACE, "torch.OutOfMemoryError: CUDA out of memory. Tried"],
            0,
            "ran out of memory",
            OUT_OF_MEMORY,
        ),
        (1, [*TRACE, "OSError: [Errno 28] No space left on device"], 0, "disk is full", DISK_FULL),
        (1, [*TRACE, "ValueError: clip 3 has no frames"], 0, "clip 3 has no frames (ValueError).", CRASH),
        (
            1,
            [*TRACE, "jobs.video.source.ClipProblem: cut.mp4 is cut off."],
            0,
            "cut off (ClipProblem).",
            CRASH,
        ),
        (1, [*ROOT, "  exitcode  : -9 (pid: 7)", *OTHER], 0, "killed by signal 9 (SIGKILL)", MACHINE_LOST),
        (
            1,
            ["ValueError: no frames", *ROOT, "  exitcode  : 1 (pid: 7)", *OTHER],
            0,
            "no frames (ValueError).",
            CRASH,
        ),
        (1, ["CUDA error: an illegal memory access was encountered"], 0, "exit code 1", CRASH),
        (3, ["bye"], 0, "exit code 3", CRASH),
    ],
)
def test_sentences(code: int, lines: list[str], ooms: int, sentence: str, kind: FailureKind) -> None:
    report = explain_crash(code, lines, ooms)
    assert sentence in report.sentence
    assert report.kind is kind
