"""Files, folders and zips on their way to the server: chosen first, sent when the page names where they belong."""

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
    """A drop zone with its list.

    Nothing is sent while `target` is ""; once it holds the id of the thing the files belong to, sending begins.
    `on_pick` gets `{count, bytes, name}` at each change of the choice, `on_done` the number of files when the last
    one has arrived, `on_cancel` nothing; by then the server has been told to forget what it had received.
    """
    given = present(
        title=title, accept=accept, hint=hint, invalid=invalid, on_pick=on_pick, on_done=on_done, on_cancel=on_cancel
    )
    return Uploader.create(target=target, target_name=target_name, endpoint=endpoint, **given)
