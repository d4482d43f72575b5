"""The card about notifications: which are sent by webhook and by e-mail."""

import reflex as rx

from orchestrator.states.settings.notifications import NotificationPreferencesState as State
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input
from orchestrator.ui.primitives.notice import notice
from orchestrator.ui.primitives.values import copy_text

_KINDS = (
    ("completed", "Done"),
    ("failed", "Failed"),
    ("stopped", "Stopped"),
    ("recovered", "Interrupted and resumed"),
)


def _kinds() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Notify me when a job is", class_name="mb-2 text-sm font-medium"),
        rx.el.div(
            *[
                checkbox(label, name=f"kind_{kind}", default_checked=State.kinds.contains(kind))
                for kind, label in _KINDS
            ],
            class_name="grid gap-2 sm:grid-cols-2",
        ),
    )


def _secret() -> rx.Component:
    return rx.el.div(
        rx.el.p("Each message is signed with this secret (X-Loreel-Signature, HMAC-SHA256 over time and body)."),
        rx.el.div(copy_text(State.secret, label="Copy the secret", shown=State.secret), class_name="mt-1 font-mono"),
        class_name="text-xs break-all text-muted-foreground",
    )


def notifications() -> rx.Component:
    """Webhook and e-mail; the bell shows all notifications."""
    mail = rx.cond(
        State.mail_ready,
        checkbox("Send an e-mail", name="email", default_checked=State.email, note=f"to {State.address}"),
        rx.el.p(
            "E-mail is off: no mail server is configured (LOREEL_SMTP_HOST).",
            class_name="text-sm text-muted-foreground",
        ),
    )
    form = rx.el.form(
        _kinds(),
        field(
            "Webhook",
            input(name="webhook_url", default_value=State.url, placeholder="https://example.org/hook", type="url"),
            hint="A public https URL that accepts a JSON POST.",
            error=State.problems["webhook_url"],
            control_id="webhook_url",
        ),
        rx.cond(State.secret, _secret(), rx.fragment()),
        mail,
        rx.cond(
            State.last_error,
            notice("The last message did not arrive: ", State.last_error, tone="warning"),
            rx.fragment(),
        ),
        rx.el.div(
            button("Save notifications", submit=True),
            button(
                "Send a test",
                on_click=State.send_test,
                variant="ghost",
                loading=State.testing,
                disabled=State.testing,
            ),
            class_name="flex flex-wrap gap-2",
        ),
        key=State.round.to_string(),
        on_submit=State.save,
        no_validate=True,
        class_name="flex flex-col gap-4",
    )
    return card(form, title="Notifications", note="email and webhook")
