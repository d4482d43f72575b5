"""Short messages in the corner, sent from Python or from a handler on the page."""

from typing import Any, Literal

import reflex as rx
from reflex_components_sonner.toast import ToastAction

from orchestrator.ui.kit import Text
from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx

Kind = Literal["success", "error", "warning", "info"]

_LOOK = (
    "group !border-border !bg-popover !text-foreground !shadow-float !rounded-xl !font-sans !text-sm "
    "[&_[data-description]]:!text-muted-foreground"
)
_EDGE: dict[Kind, str] = {
    "success": "[&>[data-icon]]:!text-success",
    "error": "[&>[data-icon]]:!text-destructive",
    "warning": "[&>[data-icon]]:!text-warning",
    "info": "[&>[data-icon]]:!text-info",
}
_SECONDS: dict[Kind, int] = {"success": 4, "info": 5, "warning": 8, "error": 10}


class Toaster(rx.Component):
    """Binding of `toaster.tsx`: Reflex's own provider would put the code of toasts on every page."""

    library = tsx("primitives/toaster.tsx")
    tag = "Toaster"
    alias = "LoreelToaster"
    lib_dependencies: list[str] = pinned("sonner")


def toaster() -> rx.Component:
    """The one place where toasts appear; `app_chrome` puts it in."""
    return Toaster.create()


def toast(
    kind: Kind, message: Text, description: Text | None = None, action: ToastAction | None = None
) -> rx.event.EventSpec:
    """An event that shows `message`: `return toast("success", "Dataset deleted.")` in a handler, or as `on_click`.

    `action`: `ToastAction("Undo", State.undo(1))`; such a toast stays for ten seconds.
    """
    extra: dict[str, Any] = {"description": description} if description is not None else {}
    extra |= {"action": action} if action is not None else {}
    send = {"success": rx.toast.success, "error": rx.toast.error, "warning": rx.toast.warning, "info": rx.toast.info}[
        kind
    ]
    return send(
        message, duration=10_000 if action else _SECONDS[kind] * 1000, class_name=f"{_LOOK} {_EDGE[kind]}", **extra
    )
