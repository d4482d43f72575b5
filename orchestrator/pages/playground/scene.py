"""The clip of the question: its player and its properties."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.figures import definition
from orchestrator.states.playground.index import PlaygroundState as State
from orchestrator.ui.patterns.empty_state import empty_state

SCENE: Any = State.scene
"""None until a clip is chosen."""


def _fact(term: str, value: Any) -> rx.Component:
    return rx.cond(
        value != "",
        definition(term, value, size="border-t border-border py-2 text-sm first:border-t-0", look="break-words"),
        rx.fragment(),
    )


def _chosen() -> rx.Component:
    return rx.el.section(
        rx.el.video(
            key=SCENE.key,
            src=SCENE.preview,
            controls=True,
            loop=True,
            muted=True,
            auto_play=True,
            plays_inline=True,
            aria_label=SCENE.name,
            class_name="aspect-[4/3] w-full rounded-lg bg-film object-contain sm:w-80",
        ),
        rx.el.dl(
            _fact("Clip", SCENE.name),
            _fact("Reference", SCENE.reference),
            _fact("Length", SCENE.duration),
            _fact("File", SCENE.facts),
            _fact("Model input", State.sampled),
            class_name="w-full min-w-0 flex-1 self-start",
        ),
        aria_label="The clip",
        class_name="flex flex-col gap-4 rounded-xl border border-border bg-card p-4 sm:flex-row",
    )


def scene() -> rx.Component:
    """The chosen clip above the answers; a hint while there is none."""
    return rx.cond(
        SCENE,
        _chosen(),
        empty_state(
            icon="film",
            title="Choose a clip",
            text="Choose one of a dataset, or drop your own. It is asked about at once; while a job trains, the answer takes longer.",
        ),
    )
