"""A "?" that explains a word of the field where it stands."""

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.tsx import tsx


class Explain(rx.Component):
    """Binding of `explain.tsx`."""

    library = tsx("primitives/explain.tsx")
    tag = "Explain"
    alias = "LoreelExplain"

    term: rx.Var[str]
    text: rx.Var[str]
    href: rx.Var[str]


def explain(term: Text, text: Text, href: Text) -> rx.Component:
    """Opens on press: `term`, its sentence, and a link to its line in the glossary."""
    return Explain.create(term=term, text=text, href=href)
