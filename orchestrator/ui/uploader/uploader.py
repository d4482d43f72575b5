"""Uploads files, folders and zips: they are chosen first, and sent once the page names their target."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Flag, Handler, Text, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class Uploader(rx.Component):
    """Binding of `uploader.tsx`."""

    library = tsx("uploader/uploader.tsx")
    tag = "Uploader"
    lib_dependencies: list[str] = pinned("tus-js-client", "lucide-react", *STYLE)

    endpoint: rx.Var[str]
    target: rx.Var[str]
    target_name: rx.Var[str]
    title: rx.Var[str]
    accept: rx.Var[str]
    hint: rx.Var[str]
    invalid: rx.Var[bool]
    on_pick: rx.EventHandler[rx.event.passthrough_event_spec(dict[str, Any])]
    on_done: rx.EventHandler[rx.event.passthrough_event_spec(int)]
    on_cancel: rx.EventHandler[rx.event.no_args_event_spec]


def uploader(
    target: Text,
    *,
    target_name: str = "dataset_id",
    endpoint: str = "/api/v1/uploads",
    title: Text | None = None,
    accept: str | None = None,
    hint: Text | None = None,
    invalid: Flag | None = None,
    on_pick: Handler = None,
    on_done: Handler = None,
    on_cancel: Handler = None,
) -> rx.Component:
    """A drop zone and the list of its files.

    Args:
        target: the id of the record that the files belong to; nothing is sent while it is "".
        on_pick: gets `{count, bytes, name}` at each change of the choice.
        on_done: gets the number of files when the last one has arrived.
        on_cancel: runs after the server was asked to delete what it had received.
    """
    props = present(
        title=title, accept=accept, hint=hint, invalid=invalid, on_pick=on_pick, on_done=on_done, on_cancel=on_cancel
    )
    return Uploader.create(target=target, target_name=target_name, endpoint=endpoint, **props)
