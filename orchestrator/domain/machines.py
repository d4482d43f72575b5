"""What a job asks of a machine and what a worker brings, each as one short word that a query can group by."""

import re
from dataclasses import dataclass

CPU, GPU, PREP = "cpu", "gpu", "prep"
"""prep: unpacking and probing datasets, which must not wait behind a training of days."""
ANY = "any"
GB = 10**9
"""As on a card's box: a "24 GB" card reports 24.1 to 25.8 billion bytes."""
DEQUANTIZED_BYTES = 512 * 1024**2
"""On a processor, 4-bit weights are also kept in 32 bits up to this: unfolding them twice a step costs more time than
a small model's own arithmetic. `docs/decisions/0010-weights-unfolded-once.md`."""
_WORD = re.compile(r"gpu-([0-9]{1,5})x([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of machine; of a job: at least this."""

    kind: str
    """any (a job only) | cpu | gpu | prep."""
    memory_gb: int = 0
    """Of each GPU."""
    gpus: int = 0

    @property
    def word(self) -> str:
        """cpu, any, gpu-24x1: the name of a worker's box, and of what a job needs."""
        return f"gpu-{self.memory_gb}x{self.gpus}" if self.kind == GPU else self.kind

    def holds(self, need: "Shape") -> bool:
        """Whether a worker of this shape can run what asks for `need`."""
        if need.kind == ANY:
            return self.kind in (CPU, GPU)
        if need.kind == GPU:
            return self.kind == GPU and self.memory_gb >= need.memory_gb and self.gpus >= need.gpus
        return self.kind == need.kind


PROCESSOR = Shape(CPU)
WHATEVER = Shape(ANY)


def shape_of(word: str) -> Shape:
    """The shape behind a word; what is no word of ours is a processor."""
    if found := _WORD.fullmatch(word):
        return Shape(GPU, int(found.group(1)), int(found.group(2)))
    return Shape(word if word in (ANY, PREP) else CPU)


def gpu_shape(memories: list[int]) -> Shape:
    """The shape of a worker that owns GPUs of these sizes in bytes: as good as its smallest."""
    return Shape(GPU, min(memories) // GB, len(memories))


def asks(need: Shape) -> str:
    """What a job asks for, in words: "2 GPUs with 24 GB each"."""
    if need.kind != GPU:
        return "a processor" if need.kind == CPU else "any machine"
    size = f" with {need.memory_gb} GB" if need.memory_gb else ""
    if need.gpus > 1:
        return f"{need.gpus} GPUs in one host{size and size + ' each'}"
    return f"a GPU{size}"
