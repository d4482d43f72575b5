"""The projector's beam behind the first screen; still under reduced motion."""

import reflex as rx

from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx


class Beam(rx.Component):
    """Binding of `beam.tsx`."""

    library = tsx("effects/beam.tsx")
    tag = "Beam"
    lib_dependencies: list[str] = pinned("motion")


def beam() -> rx.Component:
    """Decoration only; put it first in a `relative` page, and the content in a `relative` layer above."""
    return Beam.create()
