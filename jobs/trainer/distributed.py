"""Several processes that train one model, each on a GPU of its own: who writes, and how they stop at the same step."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist


def rank() -> int:
    """0 for the one that writes; also when there is only one."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def world_size() -> int:
    """How many they are; all of one host."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """True for the one that records, saves and exports."""
    return rank() == 0


def local_device() -> str:
    """The device of this process, as torch names it."""
    return f"cuda:{rank()}" if torch.cuda.is_available() else "cpu"


@contextmanager
def preserve_rng() -> Iterator[None]:
    """What is drawn by chance inside does not move what is drawn after it, on the processor and on the own GPU."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        yield


def rng_states() -> list[Any]:
    """The random states of torch: of the processor, and of the own GPU where there is one."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if torch.cuda.is_available() else [])]


def set_rng_states(states: list[Any]) -> None:
    """Sets what `rng_states` returned."""
    torch.set_rng_state(states[0])
    for state in states[1:]:
        torch.cuda.set_rng_state(state)


def wait_for_all() -> None:
    """Returns when every process has come here."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()


def any_rank(wish: bool) -> bool:
    """True for all when one wishes it: who stopped alone would leave the others waiting for its gradients."""
    if world_size() == 1 or not dist.is_initialized():
        return wish
    told = torch.tensor([int(wish)], device=local_device())
    dist.all_reduce(told, op=dist.ReduceOp.MAX)
    return bool(told.item())


def leave_process_group() -> None:
    """Ends the talk between the processes."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
