"""A dead trainer gets the right sentence, and only a death from outside is tried again."""

import pytest

from jobs.runs.crash_report import explain

TRACE = ["Traceback (most recent call last):", '  File "run.py", line 3, in <module>']

ROOT = ["Root Cause (first observed failure):", "[0]:", "  rank      : 1 (local_rank: 1)"]
OTHER = ["  traceback : Signal 15 (SIGTERM) received by PID 8"]


@pytest.mark.parametrize(
    ("code", "lines", "ooms", "sentence", "machine"),
    [
        (-9, [], 0, "killed by signal 9 (SIGKILL)", True),
        (-15, [], 0, "killed by signal 15 (SIGTERM)", True),
        (-9, [], 1, "ran out of memory", False),
        (-11, [], 0, "crashed with signal 11 (SIGSEGV)", False),
        (1, [*TRACE, "torch.OutOfMemoryError: CUDA out of memory. Tried"], 0, "ran out of memory", False),
        (1, [*TRACE, "OSError: [Errno 28] No space left on device"], 0, "disk is full", False),
        (1, [*TRACE, "ValueError: clip 3 has no frames"], 0, "clip 3 has no frames (ValueError).", False),
        (1, [*TRACE, "jobs.video.source.ClipProblem: cut.mp4 is cut off."], 0, "cut off (ClipProblem).", False),
        (1, [*ROOT, "  exitcode  : -9 (pid: 7)", *OTHER], 0, "killed by signal 9 (SIGKILL)", True),
        (1, ["ValueError: no frames", *ROOT, "  exitcode  : 1 (pid: 7)", *OTHER], 0, "no frames (ValueError).", False),
        (3, ["bye"], 0, "exit code 3", False),
    ],
)
def test_sentences(code: int, lines: list[str], ooms: int, sentence: str, machine: bool) -> None:
    verdict = explain(code, lines, ooms)
    assert sentence in verdict.sentence
    assert verdict.machine is machine
