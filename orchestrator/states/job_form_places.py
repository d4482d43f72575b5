"""Where each field of the wizard stands on the page, and the way to it when something refuses it."""

import json
from collections.abc import Mapping

import reflex as rx

from orchestrator.states.jobs.list import new_sweep as sweep
from orchestrator.states.jobs.list import new_values as form

STEP_OF = {"dataset_id": 1, "model_id": 2}
"""The others stand in step 3."""
_PLACES = (*STEP_OF, "training_type", *form.PARAMETER_FIELDS, *sorted(sweep.FIELDS))


def control_id(field: str) -> str:
    """The id of a field's control on the page."""
    return "field-" + field.replace(".", "-").replace("_", "-")


def placed(problems: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The sentences by the field of the page that they belong beside, the first of the page first.

    What is tried with several values is typed among those; what the page has no field for is left out.
    """
    rows = {values.get(f"sweep.field{row}"): f"sweep.values{row}" for row in reversed(sweep.ROWS)}
    found: dict[str, str] = {}
    for field, sentence in problems.items():
        found.setdefault(rows.get(field, f"sweep.values{sweep.ROWS[0]}" if field == "sweep" else field), sentence)
    return {field: found[field] for field in _PLACES if field in found}


def focus(field: str) -> rx.event.EventSpec:
    """Brings a field into view and the caret into it, once the page has drawn it."""
    target = json.dumps(control_id(field))
    return rx.call_script(
        f"(() => {{ let left = 20; const look = () => {{ const e = document.getElementById({target});"
        " if (!e) { if (left--) setTimeout(look, 80); return; }"
        " e.scrollIntoView({block: 'center'});"
        " (e.matches('input,button,select,textarea,[tabindex]') ? e : e.querySelector('input,button') || e)"
        ".focus({preventScroll: true}); }; setTimeout(look, 80); })()"
    )
