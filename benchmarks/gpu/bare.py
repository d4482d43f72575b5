"""Lets our code be imported where PyAV is not installed: this bench brings its frames decoded, and opens no film."""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_NAMES = {
    "av": ("FFmpegError",),
    "av.container": ("InputContainer",),
    "av.format": ("Flags",),
    "av.packet": ("Packet",),
    "av.stream": ("Disposition",),
    "av.video": (),
    "av.video.frame": ("VideoFrame",),
    "av.video.reformatter": ("VideoReformatter",),
    "av.video.stream": ("VideoStream",),
}
"""What is imported by name; nothing of it is called."""
_FLAGS: dict[str, Any] = dict.fromkeys(("attached_pic", "timed_thumbnails", "still_image", "dependent"), 0)
"""The dispositions that are joined where a module is imported."""


def without_av() -> bool:
    """True where PyAV is missing and empty modules stand in its place."""
    if find_spec("av") is not None:
        return False
    for name, kinds in _NAMES.items():
        module = ModuleType(name)
        for kind in kinds:
            setattr(module, kind, type(kind, (Exception,), _FLAGS if kind == "Disposition" else {}))
        sys.modules[name] = module
    return True
