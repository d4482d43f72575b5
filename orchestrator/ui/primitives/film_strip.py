"""Four frames of a dataset on a piece of film; dark in both themes, as film is."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Text, classes


def _frame(url: Any) -> rx.Component:
    return rx.el.img(
        src=url, alt="", loading="lazy", decoding="async", class_name="h-full min-w-0 flex-1 rounded-[2px] object-cover"
    )


def film_strip(
    urls: list[str] | rx.Var[list[str]], *, label: Text = "Four frames", height: int = 84, class_name: str = ""
) -> rx.Component:
    """The frames at `urls` side by side between two rows of perforations; empty film when there are none."""
    frames = rx.foreach(urls, _frame) if isinstance(urls, rx.Var) else rx.fragment(*[_frame(url) for url in urls])
    holes = "film-holes mx-1"
    return rx.el.div(
        rx.el.div(class_name=holes),
        rx.el.div(frames, class_name="flex gap-[3px] px-1", style={"height": f"{height}px"}),
        rx.el.div(class_name=holes),
        role="img",
        aria_label=label,
        class_name=classes("flex flex-col gap-1 overflow-hidden bg-film py-1", class_name),
    )
