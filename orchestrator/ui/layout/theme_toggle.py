"""The switch of the theme, for the shell and for the pages outside it."""

import reflex as rx

from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class ThemeToggle(rx.Component):
    """Binding of `theme_toggle.tsx`."""

    library = tsx("layout/theme_toggle.tsx")
    tag = "ThemeToggle"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)


def theme_toggle(class_name: str = "") -> rx.Component:
    """System, light, dark, in turn; the choice is kept in the browser."""
    return ThemeToggle.create(class_name=class_name)


class ThemeChoice(rx.Component):
    """Binding of `theme_choice.tsx`."""

    library = tsx("layout/theme_choice.tsx")
    tag = "ThemeChoice"
    lib_dependencies: list[str] = pinned(
        "@radix-ui/react-checkbox", "@radix-ui/react-radio-group", "@radix-ui/react-switch", "lucide-react", *STYLE
    )


def theme_choice() -> rx.Component:
    """The three themes side by side, the chosen one marked."""
    return ThemeChoice.create()
