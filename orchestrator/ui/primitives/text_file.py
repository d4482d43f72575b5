"""A button that reads a text file in the browser and hands its text to an event handler."""

import reflex as rx

from orchestrator.ui.kit import Child, Handler, Text, children
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class TextFileButton(rx.Component):
    """Binding of `text_file.tsx`."""

    library = tsx("primitives/text_file.tsx")
    tag = "TextFileButton"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    accept: rx.Var[str]
    max_bytes: rx.Var[int]
    label: rx.Var[str]
    on_text: rx.EventHandler[rx.event.passthrough_event_spec(str, str)]


def text_file_button(
    *content: Child, on_text: Handler, label: Text, id: str, accept: str = "", max_bytes: int = 65_536
) -> rx.Component:
    """`on_text` gets the text, cut off after `max_bytes` + 1, and the file's name. `label`: for a screen reader."""
    return TextFileButton.create(
        *children(*content), on_text=on_text, label=label, id=id, accept=accept, max_bytes=max_bytes
    )
