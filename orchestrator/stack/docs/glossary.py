"""The glossary: sentences that the product shows, too, come from its code; each term gets an anchor."""

import re

from orchestrator.domain.tasks import METRICS
from orchestrator.domain.terms import TERMS, Term, anchor_of

PAGE = "glossary.md"
_FROM_CODE = re.compile(r"^(.+)\n:   \{\{ meaning \}\}(?=\n|\Z)", re.MULTILINE)
_TERM = re.compile(r"<dt>(.*?)</dt>", re.DOTALL)


def explained_terms() -> dict[str, Term]:
    """What the product explains where it stands, by its name in the glossary."""
    return {term.name: term for term in (*TERMS, *(metric.term for metric in METRICS.values()))}


def with_meanings(markdown: str) -> str:
    """The page with each `{{ meaning }}` replaced by the sentence of the term above it.

    Raises:
        KeyError: no code explains that term.
    """
    terms = explained_terms()
    return _FROM_CODE.sub(lambda found: f"{found[1]}\n:   {terms[found[1]].meaning}", markdown)


def with_anchors(html: str) -> str:
    """The page with an id at each term."""
    return _TERM.sub(lambda found: f'<dt id="{anchor_of(found[1])}">{found[1]}</dt>', html)
