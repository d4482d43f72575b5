"""What a worker says of its machine: the GPUs it may see and owns, and what is left without a driver."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.telemetry import device
from orchestrator.domain.machines import GB
from orchestrator.stack.processes import shares


@pytest.fixture
def four_cards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sizes = [24_564 * 2**20, 24_564 * 2**20, 15_360 * 2**20, 81_559 * 2**20]

    def memory(handle: int) -> Any:
        return SimpleNamespace(used=GB, total=sizes[handle])

    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(sizes),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=memory,
        nvmlDeviceGetName=lambda _: "NVIDIA card",
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=10 * handle),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(device, "torch_has_cuda", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    device._gpu.cache_clear()
    yield
    device._gpu.cache_clear()


def test_one_gpu_and_several(four_cards: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.find_device("auto", 0, 1).shape.name == "gpu-25x1"
    two = device.find_device("gpu", 2, 2)
    assert (two.shape.name, two.gpus) == ("gpu-16x2", ("2", "3")), "as good as its smallest"
    facts = device.stats(two)
    assert (facts["gpu_memory_used"], facts["utilisation"]) == (2 * GB, 0.25)
    assert device.find_device("gpu", 3, 2).gpus == (), "there are not two from the fourth on"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert device.find_device().gpus == ("3", "1")
    assert device.find_device("auto", 0, 1).shape.name == "gpu-85x1"


def test_without_a_driver_there_is_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(device, "torch_has_cuda", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert device.find_device().shape.name == "cpu"


@pytest.mark.parametrize(
    ("gpus", "each", "owned"),
    [(0, 1, None), (1, 1, None), (3, 1, ["1", "1", "1"]), (4, 0, ["4"]), (5, 2, ["2", "2", "1"])],
)
def test_up_divides_the_gpus_of_a_host(gpus: int, each: int, owned: list[str] | None) -> None:
    found = shares(gpus, each)
    if owned is None:
        assert found == [[]]
        return
    assert [arguments[5] for arguments in found] == owned
    assert ["--no-prep" in arguments for arguments in found] == [number > 0 for number in range(len(found))]
