"""Distributed training: the rank of this process, and what all ranks must do at the same point."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist


def rank() -> int:
    """0 for the main process; also when there is only one."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def world_size() -> int:
    """The number of ranks, all on one host."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """True for the process that records, saves and exports."""
    return rank() == 0


def local_device() -> str:
    """The device of this process, as torch names it."""
    return f"cuda:{rank()}" if torch.cuda.is_available() else "cpu"


@contextmanager
def preserve_rng() -> Iterator[None]:
    """Restores the random states of the processor and of the own GPU at its end."""
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
    """Returns when every rank has called it."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()


def any_rank(flag: bool) -> bool:
    """True on all ranks when it is on one: others would wait for the gradients of a rank that stopped alone."""
    if world_size() == 1 or not dist.is_initialized():
        return flag
    flags = torch.tensor([int(flag)], device=local_device())
    dist.all_reduce(flags, op=dist.ReduceOp.MAX)
    return bool(flags.item())


def leave_process_group() -> None:
    """Ends the communication between the ranks."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
