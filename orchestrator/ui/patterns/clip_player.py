"""One clip of a grid: a still picture that plays while the pointer is over it, or when it is pressed."""

import reflex as rx

from orchestrator.ui.kit import Text, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class ClipPlayer(rx.Component):
    """Binding of `clip_player.tsx`."""

    library = tsx("patterns/clip_player.tsx")
    tag = "ClipPlayer"
    lib_dependencies: list[str] = pinned(*STYLE)

    thumbnail: rx.Var[str]
    preview: rx.Var[str]
    title: rx.Var[str]
    length: rx.Var[str]


def clip_player(
    thumbnail: Text, preview: Text, title: Text, length: Text | None = None, class_name: Text = ""
) -> rx.Component:
    """`thumbnail`: address of a picture of four frames side by side; `preview`: of the video; `length`: "0:09"."""
    return ClipPlayer.create(
        thumbnail=thumbnail, preview=preview, title=title, class_name=class_name, **present(length=length)
    )
