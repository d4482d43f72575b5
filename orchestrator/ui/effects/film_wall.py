"""The right half of the auth pages: strips of film that drift slowly, drawn in SVG, still under reduced motion."""

import reflex as rx

from orchestrator.ui.kit import Child, children, classes

Frame = tuple[str, str, tuple[tuple[int, int, int], ...]]
"""Shape, colour, and where and how large it is in each of four frames (x, y, half its size; the frame is 96 x 64)."""

_FILMS: tuple[Frame, ...] = (
    ("circle", "var(--series-1)", ((28, 32, 9), (40, 18, 9), (60, 22, 9), (66, 42, 9))),
    ("square", "var(--series-2)", ((20, 40, 9), (40, 22, 9), (58, 40, 9), (76, 22, 9))),
    ("triangle", "var(--series-3)", ((48, 32, 5), (48, 32, 9), (48, 32, 14), (48, 32, 19))),
)
_STRIPS = 3


def _shape(kind: str, colour: str, x: int, y: int, half: int) -> rx.Component:
    if kind == "circle":
        return rx.el.svg.circle(cx=str(x), cy=str(y), r=str(half), fill=colour)
    if kind == "square":
        side = str(2 * half)
        return rx.el.svg.rect(x=str(x - half), y=str(y - half), width=side, height=side, fill=colour)
    points = f"{x},{y - half} {x - half},{y + half} {x + half},{y + half}"
    return rx.el.svg.polygon(points=points, fill=colour)


def _frame(film: Frame, index: int) -> rx.Component:
    kind, colour, places = film
    return rx.el.svg(
        _shape(kind, colour, *places[index]),
        view_box="0 0 96 64",
        class_name="block w-full rounded-md bg-card",
    )


def _strip(number: int) -> rx.Component:
    frames = [_frame(_FILMS[(number + round_) % len(_FILMS)], i) for round_ in range(3) for i in range(4)]
    # Twice the same frames: the drift ends where it began, so the loop has no seam.
    return rx.el.div(
        rx.el.div(*frames, *frames, class_name=f"film-drift film-drift-{number} flex flex-col gap-2"),
        class_name="film-strip w-48 shrink-0",
    )


def film_row(class_name: str = "") -> rx.Component:
    """Twelve frames side by side: what the demo's clips show. Decoration only."""
    frames = [rx.el.div(_frame(film, i), class_name="min-w-0 flex-1") for film in _FILMS for i in range(4)]
    return rx.el.div(
        rx.el.div(class_name="film-holes mx-1"),
        rx.el.div(*frames, class_name="flex gap-[3px] px-1 touch:[&>*:nth-child(even)]:hidden"),
        rx.el.div(class_name="film-holes mx-1"),
        aria_hidden=True,
        class_name=classes("flex flex-col gap-1 overflow-hidden rounded-md bg-film py-1 dark", class_name),
    )


def film_wall(front: Child = None) -> rx.Component:
    """Decoration only: hidden from screen readers, absent below 1024 px. `front` lies over the film."""
    return rx.el.div(
        rx.el.div(
            *[_strip(number) for number in range(_STRIPS)],
            class_name="absolute -top-24 left-1/2 flex h-[140%] -translate-x-1/2 rotate-[-9deg] gap-6 opacity-45",
        ),
        rx.el.div(class_name="film-lamp absolute inset-0"),
        *children(front),
        rx.el.div(
            rx.el.p(
                "Your clips in, an adapter out.", class_name="text-xl font-semibold tracking-[-0.015em] text-foreground"
            ),
            rx.el.p(
                "4-bit QLoRA on your own machine. Nothing leaves it.",
                class_name="mt-1 text-sm text-muted-foreground",
            ),
            class_name="absolute inset-x-12 bottom-12",
        ),
        aria_hidden=True,
        class_name="relative hidden flex-1 overflow-hidden bg-film lg:block dark",
    )
