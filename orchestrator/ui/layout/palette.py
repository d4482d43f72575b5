"""The command palette: go to a page or to what is yours, launch, switch the theme; Ctrl-K or Cmd-K."""

import reflex as rx

from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class Palette(rx.Component):
    """Binding of `palette.tsx`; it asks `/api/v1` itself, so that no page carries its state."""

    library = tsx("layout/palette.tsx")
    tag = "Palette"
    lib_dependencies: list[str] = pinned("cmdk", "@radix-ui/react-dialog", "lucide-react", *STYLE)


def palette() -> rx.Component:
    """Its button, and the keys."""
    return Palette.create()
