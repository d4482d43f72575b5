"""The hardware that a job needs and that a worker has, each with a short name by which queries group."""

import re
from dataclasses import dataclass

CPU, GPU, PREP = "cpu", "gpu", "prep"
"""prep: workers for imports and conversions, which must not wait for a training of days."""
ANY = "any"
GB = 10**9
"""As makers of GPUs count: a "24 GB" one reports 24.1 to 25.8 billion bytes."""
DEQUANTIZED_BYTES = 512 * 1024**2
"""On a processor, up to this size 4-bit weights are also kept in 32 bits: dequantizing them twice a step would take
longer than a small model's own arithmetic. `docs/decisions/0010-weights-unfolded-once.md`."""
_GPU_NAME = re.compile(r"gpu-([0-9]{1,5})x([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Shape:
    """The hardware of a worker, or the least that a job needs."""

    kind: str
    """any (a job only) | cpu | gpu | prep."""
    memory_gb: int = 0
    """Of each GPU."""
    gpus: int = 0

    @property
    def name(self) -> str:
        """cpu, any, gpu-24x1: the name of a worker's pool, or of what a job needs."""
        return f"gpu-{self.memory_gb}x{self.gpus}" if self.kind == GPU else self.kind

    def can_run(self, need: "Shape") -> bool:
        """Whether a worker of this shape can run a job that needs `need`."""
        if need.kind == ANY:
            return self.kind in (CPU, GPU)
        if need.kind == GPU:
            return self.kind == GPU and self.memory_gb >= need.memory_gb and self.gpus >= need.gpus
        return self.kind == need.kind


PROCESSOR = Shape(CPU)
ANY_MACHINE = Shape(ANY)


def parse_shape(name: str) -> Shape:
    """The shape of a name; an unknown name is a processor."""
    if found := _GPU_NAME.fullmatch(name):
        return Shape(GPU, int(found.group(1)), int(found.group(2)))
    return Shape(name if name in (ANY, PREP) else CPU)


def gpu_shape(memories: list[int]) -> Shape:
    """The shape of a worker with GPUs of these sizes in bytes: it counts as many of the smallest."""
    return Shape(GPU, min(memories) // GB, len(memories))


def describe_need(need: Shape) -> str:
    """What a job needs, for a sentence: "2 GPUs with 24 GB each"."""
    if need.kind != GPU:
        return "a processor" if need.kind == CPU else "any machine"
    size = f" with {need.memory_gb} GB" if need.memory_gb else ""
    if need.gpus > 1:
        return f"{need.gpus} GPUs in one host{size and size + ' each'}"
    return f"a GPU{size}"
