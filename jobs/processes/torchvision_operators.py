"""Lets torchvision be imported beside a torch that it was not built for.

Its wheel on the default index is built for CUDA. Beside a CPU build of torch its compiled operators cannot be loaded,
and the import then fails at those for which it registers shapes ("operator torchvision::nms does not exist"). The
processors of transformers use none of them: resizing, cropping and normalizing are plain torch. So their schemas are
defined first where, and only where, the compiled part cannot be loaded.

`./loreel` copies this file into the virtual environment and names it in a `.pth` file there, so that it runs as each
Python starts, also in plain scripts. So it imports nothing that Python has not loaded by then: `importlib.abc` and
`pathlib` would take a third of the start of a short process.
"""

import sys
from importlib.machinery import PathFinder, SourceFileLoader

TYPE_CHECKING = False  # that of `typing`, which is not loaded yet
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType

SCHEMAS = ("nms", "qnms")
"""The operators for which torchvision registers shapes at import time; they have the same arguments."""
_KEPT: list[object] = []
"""The library of the schemas: torch removes them when it is collected."""


class TorchvisionFinder:
    """Finds torchvision as usual, and gives it a loader that defines missing operators first."""

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None", target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        spec = PathFinder.find_spec(fullname, path) if fullname == "torchvision" else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: "ModuleType") -> None:
        from pathlib import Path

        define_missing_operators(Path(self.path).parent)
        super().exec_module(module)


def define_missing_operators(package: "Path") -> bool:
    """Defines the schemas where the compiled operators in torchvision's folder cannot be loaded; True if it did."""
    import torch

    libraries = sorted(package.glob("_C*.so"))
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
    except OSError:
        libraries = []
    if libraries:
        return False
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    for name in SCHEMAS:
        fragment.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(fragment)
    return True


def install() -> None:
    """Adds the finder, once."""
    if not any(type(finder).__name__ == TorchvisionFinder.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, TorchvisionFinder())


install()
