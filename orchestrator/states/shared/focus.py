"""Scrolls a part of the page into view and focuses it, once the browser has drawn it."""

import json

import reflex as rx

_FOCUS = (
    "(() => {{ let tries = 20; const find = () => {{ const e = {find};"
    " if (!e) {{ if (tries--) setTimeout(find, 80); return; }}"
    " e.scrollIntoView({{block: '{block}'}});"
    " (e.matches('input,button,select,textarea,[tabindex]') ? e : e.querySelector('input,button') || e)"
    ".focus({{preventScroll: true}}); }}; setTimeout(find, 80); }})()"
)


def focus_element(element_id: str, block: str = "center") -> rx.event.EventSpec:
    """The element with this id. `block`: where in the window it comes to stand."""
    return rx.call_script(_FOCUS.format(find=f"document.getElementById({json.dumps(element_id)})", block=block))


def focus_first_problem() -> rx.event.EventSpec:
    """The first field of the page that has an error, or the first message that belongs to no field."""
    find = "document.querySelector('main [aria-invalid=true], main [data-invalid], main [role=alert]')"
    return rx.call_script(_FOCUS.format(find=find, block="center"))
