"""Says above a form that the studio does not answer, while it does not."""

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from orchestrator.ui.primitives.notice import notice


def offline_notice() -> rx.Component:
    """Appears when the connection is lost and goes when it is back; what was typed stays."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            notice(
                "No connection to Loreel. Check that it is running and that you can reach it; what you typed stays here.",
                tone="warning",
            ),
            custom_attrs={"data-offline-notice": ""},
        ),
        rx.fragment(),
    )
