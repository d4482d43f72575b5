"""Times as people say them, kept true by the browser."""

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx


class RelativeTime(rx.Component):
    """Binding of `values.tsx`."""

    library = tsx("primitives/values.tsx")
    tag = "RelativeTime"
    lib_dependencies: list[str] = pinned("lucide-react")

    iso: rx.Var[str]


class ClockTime(RelativeTime):
    """Binding of `values.tsx`."""

    tag = "ClockTime"


def relative_time(iso: Text, class_name: str = "") -> rx.Component:
    """The time `iso` as "4 min ago", exact on hover. ISO 8601; UTC when it names no zone."""
    return RelativeTime.create(iso=iso, class_name=class_name)


def clock_time(iso: Text, class_name: str = "") -> rx.Component:
    """The time `iso` as "10:07", with the day where it is not today; exact on hover."""
    return ClockTime.create(iso=iso, class_name=class_name)
