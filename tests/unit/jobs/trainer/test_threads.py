"""A small step keeps to one thread, a large one does not; what was judged before it does not count."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from jobs.trainer.threads import MIN_INPUT_SIZE, ThreadTuner, encoding_threads

SAID = cast("tuple[TrainingArguments, TrainerState, TrainerControl]", (None, None, None))


@pytest.fixture(autouse=True)
def two() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def step(rows: int, judged: int = 1) -> int:
    """Threads after a step of `rows` rows, `judged` rows having been judged before it."""
    model: Any = torch.nn.Sequential(torch.nn.Linear(100, 8))
    threads = ThreadTuner(model)
    model(torch.zeros(judged, 100))
    threads.on_step_begin(*SAID)
    model(torch.zeros(rows, 100))
    threads.on_step_end(*SAID)
    found = torch.get_num_threads()
    model(torch.zeros(MIN_INPUT_SIZE, 100))
    threads.on_step_begin(*SAID)
    threads.on_step_end(*SAID)
    assert torch.get_num_threads() == found  # the first step decides
    threads.on_train_end(*SAID)
    assert torch.get_num_threads() == 2
    return found


def test_the_first_step_decides() -> None:
    assert step(rows=10) == 1
    assert step(rows=10, judged=MIN_INPUT_SIZE) == 1
    assert step(rows=MIN_INPUT_SIZE // 100) == 2


def test_a_small_vision_tower_encodes_one_clip_per_core() -> None:
    assert encoding_threads(torch.nn.Linear(10, 10), "cpu") == 2
    assert encoding_threads(torch.nn.Linear(3000, 3000, device="meta"), "cpu") == 1
    assert encoding_threads(torch.nn.Linear(10, 10), "cuda:0") == 1
