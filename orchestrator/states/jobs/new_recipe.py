"""Fills the wizard from a recipe file: what was taken, what stays, and each line that was not taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain import formatting
from orchestrator.domain.recipe_fields import ValueKind
from orchestrator.domain.recipe_text import RecipeProblem, RecipeText, read_recipe_text
from orchestrator.domain.recipes import FIELDS
from orchestrator.states.jobs import new_values as form

_TARGETS = "qlora.target_modules"
_NAMED = 6
"""Parameters that a sentence names."""


@dataclass(frozen=True, slots=True)
class RecipeNote:
    """One line of the file that was not taken as it is."""

    place: str
    """Such as "line 4"."""
    text: str
    written: str
    """The line's value, so that it is not lost; "" where there is none."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The form after a recipe was put in."""

    values: dict[str, str]
    targets: list[str]
    problems: dict[str, str] = field(default_factory=dict)
    """Sentences by the field of the form that has a bad value."""
    notes: list[RecipeNote] = field(default_factory=list)
    summary: str = ""


def fill(values: Mapping[str, str], targets: Sequence[str], layers: Sequence[str], text: str) -> Filled:
    """Puts a recipe into the form; parameters that it does not name stay as they are.

    Args:
        layers: the kinds of layers of the chosen base that may get an adapter.

    Raises:
        Invalid, TooLarge: the text is no recipe.
    """
    found = read_recipe_text(text)
    taken = {name: value for name, value in form.values_from_recipe(found.recipe).items() if name in found.given}
    bad = {problem.field: problem for problem in found.problems if _is_at_a_field(problem, found)}
    typed = {name: problem.value for name, problem in bad.items() if FIELDS[name].kind is not ValueKind.LIST}
    chosen, unknown = _targets(found, targets, layers)
    notes = [RecipeNote(f"line {problem.line}", problem.message, problem.value) for problem in found.problems]
    if unknown:
        missing = f"The chosen base has no layer {', '.join(unknown)}."
        notes.append(RecipeNote("layers", missing, ", ".join(found.recipe.qlora.target_modules)))
    off_form = found.given.keys() - form.FORM_FIELDS.keys()
    stays = {name: text for name, text in values.items() if name not in off_form}
    return Filled(
        values=stays | taken | typed,
        targets=chosen,
        problems={name: problem.message for name, problem in bad.items()},
        notes=notes,
        summary=_summary(found),
    )


def _is_at_a_field(problem: RecipeProblem, found: RecipeText) -> bool:
    return problem.field in form.FORM_FIELDS and problem.field not in found.given


def _targets(found: RecipeText, targets: Sequence[str], layers: Sequence[str]) -> tuple[list[str], list[str]]:
    """The layers to choose, and those that the base does not have; without any that it has, the choice stays."""
    if _TARGETS not in found.given:
        return list(targets), []
    asked = found.recipe.qlora.target_modules
    unknown = [name for name in asked if name not in layers]
    return [name for name in layers if name in asked or not asked] or list(targets), unknown


def _summary(found: RecipeText) -> str:
    filled = f"{formatting.plural(len(found.given), 'parameter')} filled in."
    if not found.missing:
        return filled
    names = [FIELDS[name].title for name in found.missing]
    verb = "stays as it is" if len(names) == 1 else "stay as they are"
    named = formatting.named(names, len(names), _NAMED)
    return f"{filled} {formatting.plural(len(names), 'other')} {verb}, not being in the file: {named}."
