"""A drop zone for one clip, which is uploaded and checked at once."""

import reflex as rx

from orchestrator.ui.kit import Flag, Handler, Number, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class ClipDrop(rx.Component):
    """Binding of `clip_drop.tsx`."""

    library = tsx("uploader/clip_drop.tsx")
    tag = "ClipDrop"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    endpoint: rx.Var[str]
    limit: rx.Var[int]
    disabled: rx.Var[bool]
    on_done: rx.EventHandler[rx.event.passthrough_event_spec(str)]


def clip_drop(
    *, endpoint: str, limit: Number, on_done: Handler = None, disabled: Flag | None = None, class_name: str = ""
) -> rx.Component:
    """The body of a POST to `endpoint` is the file; `on_done` gets the id it answers. `limit`: bytes."""
    return ClipDrop.create(
        endpoint=endpoint, limit=limit, class_name=class_name, **present(on_done=on_done, disabled=disabled)
    )
