"""Scrolls a part of the page into view and focuses it, once the browser has drawn it."""

import json

import reflex as rx

_TEXT_FIELDS = "input,textarea,select,[contenteditable=true]"
_FOCUS = (
    "(() => {{ let tries = 20; const before = document.activeElement;"
    " const stays = () => {{ const now = document.activeElement; return now && now.matches('" + _TEXT_FIELDS + "')"
    " && (now !== before || now.matches({keep})); }};"
    " const find = () => {{ if (stays()) return; const e = {find};"
    " if (!e) {{ if (tries--) setTimeout(find, 80); return; }}"
    " e.scrollIntoView({{block: '{block}'}});"
    " (e.matches('input,button,select,textarea,[tabindex]') ? e : e.querySelector('input,button') || e)"
    ".focus({{preventScroll: true}}); }}; setTimeout(find, 80); }})()"
)
"""A person who has gone on to another field meanwhile keeps the focus: what they type would land in this one.

`keep`: a selector of the fields that keep the focus although they had it before.
"""


def focus_element(element_id: str, block: str = "center") -> rx.event.EventSpec:
    """The element with this id. `block`: where in the window it comes to stand."""
    return _focus(f"document.getElementById({json.dumps(element_id)})", ":not(*)", block)


def focus_first_problem() -> rx.event.EventSpec:
    """The first field of the page that has an error, or the first message that belongs to no field.

    A person who is in a field with an error already stays there: they are about to mend it.
    """
    find = "document.querySelector('main [aria-invalid=true], main [data-invalid], main [role=alert]')"
    return _focus(find, "[aria-invalid=true]", "center")


def _focus(find: str, keep: str, block: str) -> rx.event.EventSpec:
    return rx.call_script(_FOCUS.format(find=find, keep=json.dumps(keep), block=block))
